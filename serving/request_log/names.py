"""The files of a request log by name: requests-MOMENT-WRITER.tfrecord, with .part behind it while it is written."""

from pathlib import Path

PART = ".part"
_COMPLETE = ".tfrecord"


def name_of(moment: int, writer: str) -> str:
    """Of a complete file that was begun so many nanoseconds after 1970. Names stand in the order of their moments."""
    return f"requests-{moment}-{writer}{_COMPLETE}"


def writer_of(path: Path) -> str:
    """Who wrote, or writes, the file."""
    return path.name.removesuffix(PART).removesuffix(_COMPLETE).split("-", 2)[-1]


def complete_files(directory: Path) -> list[Path]:
    """The oldest first."""
    return sorted(directory.glob(f"requests-*{_COMPLETE}"))


def parts(directory: Path) -> list[Path]:
    """Files that are written, or that a server which was killed has left. The oldest first."""
    return sorted(directory.glob(f"requests-*{_COMPLETE}{PART}"))


def all_files(directory: Path) -> list[Path]:
    """Complete or not, the oldest first."""
    return sorted([*complete_files(directory), *parts(directory)])
