"""A repository's directory that a test writes to, of models that are only names."""

import asyncio
import shutil

from serving.errors import ModelRejected
from serving.metrics import Metrics
from serving.models.declaration import ModelDeclaration
from serving.models.lifecycle.manager import Manager
from serving.models.repository import Repository
from tests.serving.fakes import LABELS, fake_servable

BYTES = 100
"""Of a version's files."""


class Disk:
    """A directory of models that are only names; those that are told to be broken do not load."""

    def __init__(self, root) -> None:
        self.root = root
        self.metrics = Metrics()
        self.loaded: list[tuple[str, int]] = []
        self.broken: set[tuple[str, int]] = set()
        self.labels: dict[str, tuple[str, ...]] = {}
        self.declared: dict[str, ModelDeclaration] = {}

    def add(self, name, *versions) -> None:
        for version in versions:
            directory = self.root / name / str(version)
            directory.mkdir(parents=True)
            (directory / "saved_model.pb").write_bytes(bytes(BYTES))

    def repair(self, name, version) -> None:
        """Other files are copied there, which load."""
        (self.root / name / str(version) / "more-weights").write_bytes(bytes(BYTES))
        self.broken.discard((name, version))

    def remove(self, name, *versions) -> None:
        """These versions are gone; with none given, the model is."""
        for directory in [self.root / name / str(version) for version in versions] or [self.root / name]:
            shutil.rmtree(directory)

    def sample(self, name, version, model="shades") -> float | None:
        """What a metric says of a version."""
        return self.metrics.registry.get_sample_value(name, {"model": model, "version": str(version)})

    def declare(self, text) -> None:
        (self.root / "models.yaml").write_text(text)

    def load(self) -> Repository:
        """What is served of it at the start."""
        return asyncio.run(self.manager().start())

    def manager(self, max_model_bytes: int = 0) -> Manager:
        """A manager of it, not started."""
        return Manager(
            self.root, lambda *version: self.load_version(*version), self.metrics, max_model_bytes, settle_seconds=0
        )

    def load_version(self, directory, declared):
        self.declared[directory.parent.name] = declared
        name, version = directory.parent.name, int(directory.name)
        self.loaded.append((name, version))
        if (name, version) in self.broken or not directory.is_dir():
            raise ModelRejected(f"{name} {version} is broken")
        return fake_servable(name, version, labels=self.labels.get(name, LABELS))
