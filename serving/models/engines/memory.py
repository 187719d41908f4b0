"""Which engine was fastest, kept beside the model that it was measured with, for every version of the same network."""

import hashlib
import json
import logging
import platform
from collections.abc import Mapping
from pathlib import Path

from serving.models.engines.choice import Seconds
from serving.models.whole_files import replace

log = logging.getLogger(__name__)

NAME = Path("assets.extra", "fastest-engine.json")
"""In a version's directory. No card lists it, so it may come and go."""


class FileMemory:
    """A choice.Memory in one version's directory, of its last measurement; it knows the other versions' too."""

    def __init__(self, directory: Path, circumstances: Mapping[str, object]) -> None:
        """What was measured holds where `circumstances` are the same: network, versions, processor, threads."""
        self._directory, self._path = directory, directory / NAME
        self._circumstances = dict(circumstances)

    def recall(self) -> str | None:
        """See choice.Memory. A new version of the same network is not measured. A file that cannot be read is passed
        over.
        """
        others = set(self._directory.parent.glob(f"*/{NAME}")) - {self._path}
        said = (self._said_by(path) for path in (self._path, *sorted(others)))
        return next((fastest for fastest in said if fastest), None)

    def keep(self, fastest: str, measured: Mapping[str, Seconds]) -> None:
        """See choice.Memory. Where the directory may not be written to, the next start measures again."""
        content = {"fastest": fastest, "circumstances": self._circumstances, "seconds": measured}
        try:
            replace(self._path, json.dumps(content, indent=1) + "\n")
        except OSError as error:
            log.info(
                "Which engine is fastest cannot be kept in %s (%s); it is measured at each start", self._path, error
            )

    def _said_by(self, path: Path) -> str | None:
        try:
            kept = json.loads(path.read_text())
            return kept["fastest"] if kept["circumstances"] == self._circumstances else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s does not say which engine is fastest (%r)", path, error)
            return None


def processor() -> str:
    """What tells processors of other speeds apart: a hash of name and abilities, where the system tells them."""
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return f"{platform.machine()} {platform.processor()}"
    lines = information.read_text().splitlines()
    telling = sorted({line for line in lines if line.split("\t")[0] in ("model name", "flags", "Features", "CPU part")})
    return hashlib.sha256("\n".join(telling).encode()).hexdigest()[:16]
