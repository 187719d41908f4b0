"""Each peer's own environment: peers want other versions of what they share than we do, and than each other."""

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.peers.catalogue import COMMON, PEERS

ROOT = Path(".bench")
_SECONDS = 1800


class NotInstalled(RuntimeError):
    """A peer's packages could not be installed."""


def python_of(name: str) -> Path:
    """The interpreter of a peer's environment, which is made first where it is missing or was made for other
    requirements. Raises NotInstalled.
    """
    environment = ROOT / name / ".venv"
    python, stamp = environment / "bin" / "python", ROOT / name / "installed.txt"
    wanted = "\n".join((*COMMON, *PEERS[name].requirements))
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"Installing {PEERS[name].title} into {environment}; this takes some minutes.", flush=True)
    _run(sys.executable, "-m", "venv", str(environment))
    _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted.splitlines())
    stamp.write_text(wanted)
    return python


def version(name: str) -> str:
    """The peer's version, by the requirement that names it."""
    return PEERS[name].requirements[0].partition("==")[2]


def _run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_SECONDS)
    if done.returncode:
        raise NotInstalled(f"{' '.join(command[1:4])} failed: {' / '.join(done.stdout.splitlines()[-3:])}")
