"""How every CPU kernel is compiled: without the GIL, cached on disk where a folder can be
written.
"""

from functools import partial

from numba import cfunc, njit


def _can_cache():
    try:
        njit(cache=True)(lambda: None)
    except RuntimeError:
        # Numba raises this where it finds no folder to write to (a read-only installation, no home
        # folder): the kernels are then compiled once in each process.
        return False
    return True


CACHE = _can_cache()

# Nobody calls a kernel from C: no second entry is needed.
_compiled = partial(njit, nogil=True, error_model="numpy", cache=CACHE, no_cfunc_wrapper=True)
kernel = _compiled()
part = _compiled(no_cpython_wrapper=True)  # called by kernels only
inlined = _compiled(no_cpython_wrapper=True, forceinline=True)  # the same, and never left as a call
# For one signature, with an address that other code can call:
callback = partial(cfunc, cache=CACHE)
