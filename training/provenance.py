"""Where a model comes from, for its card."""

import os
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


def device() -> str:
    """What this process trains on: "2 x NVIDIA H100 80GB HBM3", or the processor."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return processor()
    return f"{len(gpus)} x {tf.config.experimental.get_device_details(gpus[0]).get('device_name', 'GPU')}"


def processor() -> str:
    """ "2 cores of AMD EPYC", where the system tells its name."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} cores of {name}"


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
