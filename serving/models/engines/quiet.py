"""Keeps what TensorFlow prints while it is imported off the terminal."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_CHATTER = re.compile(
    rb"WARNING: All log messages before|[IWE]\d{4} \d|\d{4}-\d\d-\d\d [\d:.]+: [IWE] |To enable the following"
)
"""How a line of TensorFlow's libraries begins."""
_NOTHING = re.compile(rb"(?!)")


@contextmanager
def chatter_kept_back() -> Iterator[None]:
    """Holds standard error back inside the block, and shows afterwards what others wrote to it; all of it where the
    block raises.

    TensorFlow's libraries write half a dozen lines about themselves before they read any log level, so
    the file descriptor itself is turned aside. Afterwards their level is warnings and worse.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        hidden = _CHATTER
        try:
            yield
        except BaseException:
            hidden = _NOTHING
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            aside.seek(0)
            os.write(2, b"".join(line for line in aside if not hidden.match(line)))
