"""Memory that the process holds and does not need goes back to the system."""

import ctypes
import gc
import sys


def give_back_memory() -> None:
    """Collects what refers to itself, as graphs do, and has the C library return what is free. Blocks."""
    gc.collect()
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):  # glibc's; musl has none
        ctypes.CDLL(None).malloc_trim(0)
