"""A file that is written: its writer's for as long as it holds the lock on it, and nobody's once that is gone.

Locks are flock(2)'s, which the kernel ends with their process. Servers on several machines that share a directory need
a file system whose locks all of them see, as NFS's.
"""

import fcntl
import io
import logging
import os
from contextlib import suppress
from pathlib import Path

from serving.request_log.names import PART, parts
from serving.tfrecords import whole_bytes

log = logging.getLogger(__name__)


def begin(path: Path) -> io.FileIO:
    """A new file at `path`, locked. Raises OSError, where the file system has no locks too."""
    while True:
        part = io.FileIO(path, "x")
        try:
            fcntl.flock(part, fcntl.LOCK_EX)
        except OSError as error:
            part.close()
            path.unlink()
            rule = "A request log is kept where files can be locked"
            raise OSError(error.errno, f"{rule}; {error.strerror}", str(path)) from None
        if os.fstat(part.fileno()).st_nlink:
            return part
        part.close()  # another server took it for one that is nobody's, before it was locked


def complete(path: Path) -> None:
    """Gives the part at `path` its name, or removes it where it is empty. Raises OSError."""
    if path.stat().st_size:
        path.rename(path.with_name(path.name.removesuffix(PART)))
    else:
        path.unlink()


def complete_those_left(directory: Path) -> list[Path]:
    """Completes every part in `directory` that nobody writes any more, cut off behind its last whole record. Returns
    the parts that others write. Raises OSError.
    """
    living = []
    for path in parts(directory):
        with suppress(FileNotFoundError), io.FileIO(path, "r+") as part:  # its writer, or another server, completed it
            try:
                fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                living.append(path)
                continue
            whole = whole_bytes(path)
            part.truncate(whole)
            complete(path)
            log.info("%s was left by a server that has gone; its whole records, %s bytes, are kept", path, whole)
    return living
