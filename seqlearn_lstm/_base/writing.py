"""How a language model writes: symbol after symbol, each drawn and then read."""

import itertools
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from ..sampling import check_sampling, draw
from ..streaming import SymbolStream
from ..symbols import END, check_symbols, warn_of_texts
from .transitions import mark_of


class WritesSequences:
    """The part of an estimator that writes. It has `vocabulary_`, says in `_possible` which scores
    may be drawn, and in `_joins` whether symbols become a string.
    """

    def generate(
        self, prime=None, n=100, *, temperature=1.0, top_k=None, top_p=None, stop=None,
        random_state=None,
    ):  # fmt: skip
        """Write what follows `prime`.

        Parameters
        ----------
        prime : str or sequence of symbols, default=None
            What comes before; None: nothing, so that a new sequence begins.
        n : int, default=100
            Largest number of symbols to write.
        temperature : float, default=1
            What the logarithms of the probabilities are divided by: below 1, likely symbols become
            likelier; with 0, the most probable symbol is always taken.
        top_k : int, default=None
            Draw from the k most probable symbols only; None: from all.
        top_p : float, default=None
            Draw only from the fewest most probable symbols whose probabilities add up to at least
            this (Holtzman et al. 2020); None: from all.
        stop : symbol or list or array of symbols, default=None
            Symbols to stop at, without writing them; they must be in `vocabulary_`.
        random_state : int, RandomState instance or None, default=None
            Fixes what is drawn.

        Returns
        -------
        written : str or list of symbols
            What was written, without `prime`; a string if the model was fitted on strings. It has
            fewer than `n` symbols if one of `stop` was drawn or, where ends were learned, the end.

        Raises
        ------
        ValueError, TypeError
            If a parameter is out of range, `prime` holds no symbols, or one of `stop` is not in
            `vocabulary_`.
        """
        if not (isinstance(n, Integral) and n >= 0):
            raise ValueError(f"n is {n!r}; expected a whole number of at least 0")
        written = self.iter_generate(
            prime, temperature=temperature, top_k=top_k, top_p=top_p, stop=stop,
            random_state=random_state,
        )  # fmt: skip
        written = list(itertools.islice(written, n))
        return "".join(written) if self._joins else written

    def iter_generate(
        self, prime=None, *, temperature=1.0, top_k=None, top_p=None, stop=None, random_state=None
    ):
        """Write symbol by symbol, until a symbol of `stop` or the end of the sequence is drawn.

        Parameters
        ----------
        prime : str or sequence of symbols, default=None
            As in `generate`.
        temperature : float, default=1
            As in `generate`.
        top_k : int, default=None
            As in `generate`.
        top_p : float, default=None
            As in `generate`.
        stop : symbol or list or array of symbols, default=None
            As in `generate`.
        random_state : int, RandomState instance or None, default=None
            As in `generate`.

        Returns
        -------
        symbols : iterator of symbols
            What is written, without `prime`.

        Raises
        ------
        ValueError, TypeError
            As `generate`, at once: before the first symbol is asked for.
        """
        check_sampling(temperature, top_k, top_p)
        stream, rng = self.stream(), check_random_state(random_state)
        warn_of_texts([prime], stream.estimator.vocabulary_, "prime")
        for symbol in _symbols_of(prime):
            stream.push(symbol)
        stops = {END} | _stops_of(stop, stream.estimator.vocabulary_)
        # The stream's estimator stays what it is, whatever becomes of this one.
        return stream.estimator._written(stream, rng, stops, (temperature, top_k, top_p))

    def _written(self, stream, rng, stops, how):
        symbols = self.vocabulary_.symbols
        while True:
            code = draw(self._possible(stream.scores)[0], rng, *how)
            symbol = symbols[code]
            if symbol in stops:
                return
            yield symbol
            stream.push_code(code)

    def stream(self):
        """Start to read one sequence symbol by symbol.

        Returns
        -------
        stream : Stream
            Its ``push(symbol)`` returns the symbol that most probably comes next. Nothing has been
            pushed yet.
        """
        stream = SymbolStream(self)
        stream.begin(mark_of(stream.estimator.vocabulary_))
        return stream


def _symbols_of(prime):
    """The symbols that went before; there may be none."""
    if prime is None:
        return []
    if not isinstance(prime, str | list | tuple) and np.ndim(prime) == 0:
        raise TypeError(
            f"prime has type {type(prime).__name__}; expected a string, a sequence of symbols, or None"
        )
    return check_symbols([prime])[0] if len(prime) else []


def _stops_of(stop, vocabulary):
    """The symbols to stop before, as a set."""
    if stop is None:
        return set()
    stop = stop.tolist() if hasattr(stop, "tolist") else stop  # NumPy's values as Python's own
    is_one = not isinstance(stop, list | tuple | set) and np.ndim(stop) == 0
    try:
        stops = {stop} if is_one else set(stop)
    except TypeError:  # no symbols: they cannot be hashed
        raise TypeError(f"stop is {stop!r:.80}; expected a symbol, or a list of symbols") from None
    never = [symbol for symbol in stops if symbol not in vocabulary]
    if never:
        known = vocabulary.symbols[1:4]
        raise ValueError(
            f"stop has {never[0]!r:.80}, which is no symbol that the model writes; expected symbols "
            f"of its vocabulary, each as one step of a sequence has it, such as {known}"
        )
    return stops
