"""What the examples that read texts share."""

from collections import Counter, defaultdict


def text_of(load, make):
    """Return what `load` gives, and False; without the data what `make` gives, and True."""
    try:
        return load(), False
    except FileNotFoundError as error:
        print(f"No such text ({error}).\nA made-up one instead.")
        return make(), True


def split(text, share=0.05):
    """Return a text without its end, and its end, a `share` of it, which is held out."""
    n = int(len(text) * (1 - share))
    return text[:n], text[n:]


def n_parameters(model):
    """Return how many numbers a model has learned."""
    return sum(values.size for values in model.parameters_.values())


class NGram:
    """Says the letter that followed most often after the last `order` letters.

    With `back_off`, where those were never seen, it asks what followed the last ``order - 1`` of
    them, and so on; without, it then says nothing.
    """

    def __init__(self, order, back_off=True):
        self.orders = range(order, -1, -1) if back_off else [order]

    def fit(self, text):
        self.following = {}
        for order in self.orders:
            counts = defaultdict(Counter)
            for before, letter in _transitions(text, order):
                counts[before][letter] += 1
            for before, letters in counts.items():
                self.following[before] = letters.most_common(1)[0][0]
        return self

    def accuracy(self, text):
        """The share of letters that it says right; the first few, which have less before them, do
        not count.
        """
        right, order = 0, self.orders[0]
        for before, letter in _transitions(text, order):
            shorter = (before[order - o :] for o in self.orders)
            right += letter == next((self.following[b] for b in shorter if b in self.following), "")
        return right / (len(text) - order)


def _transitions(text, order):
    return ((text[i - order : i], text[i]) for i in range(order, len(text)))
