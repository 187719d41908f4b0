"""Parts of TensorFlow, imported without the rest of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType

from serving.models.engines.quiet import chatter_kept_back

_PACKAGE = "tensorflow"


@contextmanager
def front_left_out() -> Iterator[None]:
    """Imports of `tensorflow.core` and `tensorflow.python` inside the block run what they name, and not the package's
    own __init__, which brings in all of TensorFlow's public interface: seconds, where messages take a tenth of one.

    A bare package stands in for it meanwhile. Whoever imports TensorFlow itself later gets it whole, and of the
    same parts. Holds for the process: nobody else may import TensorFlow meanwhile.
    """
    with chatter_kept_back():
        if _PACKAGE in sys.modules or (found := find_spec(_PACKAGE)) is None:
            yield
            return
        bare = ModuleType(_PACKAGE)
        bare.__path__ = list(found.submodule_search_locations or ())
        sys.modules[_PACKAGE] = bare
        try:
            yield
        finally:
            del sys.modules[_PACKAGE]
