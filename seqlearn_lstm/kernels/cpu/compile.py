"""How every CPU kernel is compiled: without the GIL, cached on disk where a folder can be written."""

from numba import njit


def _compiled(**options):
    def decorate(function):
        try:
            return njit(nogil=True, error_model="numpy", cache=True, **options)(function)
        except RuntimeError:
            # Numba raises while decorating where no cache folder can be written (a read-only installation without a
            # home): the kernel is then compiled once a process.
            return njit(nogil=True, error_model="numpy", **options)(function)

    return decorate


kernel = _compiled()
inlined = _compiled(forceinline=True)
