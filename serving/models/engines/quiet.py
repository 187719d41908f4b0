"""Keeps what TensorFlow prints while it is imported off the terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def chatter_kept_back() -> Iterator[None]:
    """Holds standard error back inside the block, and shows it only where the block raises.

    TensorFlow's libraries write half a dozen lines about themselves before they read any log level, so
    the file descriptor itself is turned aside. Afterwards their level is warnings and worse.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(terminal, aside.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
