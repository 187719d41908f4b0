"""Files that a reader finds whole, as they were or as they are."""

import os
import tempfile
from pathlib import Path


def replace(path: Path, content: str) -> None:
    """Writes `path` in one step, which a kill or a power cut does not halve. Raises OSError."""
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o644)  # mkstemp's is for its owner alone
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
