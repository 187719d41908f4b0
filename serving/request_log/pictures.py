"""What can be kept of a picture; a file of its own, so that settings import nothing else."""

from typing import Literal

Pictures = Literal["hash", "bytes"]
