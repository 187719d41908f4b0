"""Where a model comes from, for its card."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

_PACKAGES = ("tencrop", "keras", "tensorflow", "numpy", "pillow", "protobuf")


def versions() -> dict[str, str]:
    """Version of Python and of each package that has a part in a model, where it is installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_revision() -> str:
    """Of the tree that this file is in, with "-dirty" where tracked files have changes; "" outside git."""
    try:
        _git("ls-files", "--error-unmatch", Path(__file__).name)
        revision = _git("rev-parse", "HEAD").strip()
        return f"{revision}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else revision
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*arguments: str) -> str:
    here = Path(__file__).parent
    return subprocess.run(["git", *arguments], cwd=here, check=True, capture_output=True, text=True).stdout
