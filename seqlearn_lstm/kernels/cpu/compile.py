"""How every CPU kernel is compiled: without the GIL, cached on disk where a folder can be
written.
"""

import hashlib
from contextlib import suppress
from functools import cache
from importlib.resources import files

from numba import config, njit
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from numba.core.sigutils import normalize_signature

if config.DISABLE_JIT:
    raise RuntimeError(
        "the environment variable NUMBA_DISABLE_JIT is set, but seqlearn_lstm computes with compiled "
        "kernels only; unset it before Numba is imported"
    )


@cache
def _sources():
    """A hash of all files that kernels are made of."""
    sources = {file.name: file for file in files(__package__).iterdir()}
    found = hashlib.sha256()
    for name in sorted(name for name in sources if name.endswith(".py")):
        found.update(sources[name].read_bytes())
    return found.hexdigest()


class _Cache(FunctionCache):
    """Numba's, with two differences. A disk that is full or damaged costs time, and no fit. And what was
    compiled is old as soon as any of our files is another: Numba looks at the one in which a kernel
    stands, but its parts stand in others, and after an upgrade they would be those of before.
    """

    def __init__(self, function):
        super().__init__(function)
        self._cache_file._source_stamp = self._cache_file._source_stamp, _sources()

    def load_overload(self, *args):
        try:
            return super().load_overload(*args)
        except Exception:  # whatever the bytes of a damaged file make of pickle
            try:
                self.flush()
            except OSError:
                self.disable()  # for saving would read them again
            return None

    def save_overload(self, *args):
        with suppress(OSError):
            super().save_overload(*args)


def _can_cache():
    try:
        _Cache(_can_cache)
    except RuntimeError:
        # Numba raises this where it finds no folder to write to (a read-only installation, no home
        # folder): the kernels are then compiled once in each process.
        return False
    return True


CACHE = _can_cache()


def _cached(compiled, function):
    """What Numba makes of a function, with a cache on disk."""
    if CACHE:
        compiled._cache = _Cache(function)
    return compiled


# Nobody calls a kernel from C: no second entry is needed. And none allocates: without Numba's memory
# manager nobody counts, with atomic instructions, who holds an array while it passes from part to part.
_OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False}
ALWAYS_INLINED = {"forceinline": True, "_nrt": False}  # of what is chosen by types, in an overload


def _compiled(**options):
    jit = njit(**_OPTIONS, **options)
    return lambda function: _cached(jit(function), function)


kernel = _compiled()
part = _compiled(no_cpython_wrapper=True)  # called by kernels only
inlined = _compiled(no_cpython_wrapper=True, forceinline=True)  # the same, and never left as a call


def callback(signature):
    """Compile for one signature, with an address that other code can call."""

    def compiled(function):
        made = _cached(CFunc(function, normalize_signature(signature), {}, {}), function)
        made.compile()
        return made

    return compiled
