"""Memory that the process holds and does not need goes back to the system."""

import ctypes
import gc


def spare_what_stays() -> None:
    """Keeps all there is now out of collections to come, which stop every thread for as long as they look around: call
    it once everything is imported, and before models are loaded.
    """
    gc.collect()
    gc.freeze()


def give_back_memory() -> None:
    """Collects what refers to itself, as graphs do, and has the C library return what is free. Blocks."""
    gc.collect()
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):  # glibc has it, and others return memory by themselves
        library.malloc_trim(0)
