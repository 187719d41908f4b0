"""A store that a test fills, and versions that need be no models: a mirror never runs what it fetches."""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from google.protobuf import json_format

from protos.model_card_pb2 import File
from serving.models.stores.follower import Follower
from serving.models.stores.mirror import Mirror
from serving.models.stores.store import Store
from tests.serving.fakes import FakeClock, fake_card

SETTLE_SECONDS = 10.0
CARD = "assets.extra/card.json"


def version_of(graph: bytes = b"graph", weights: bytes = b"weights") -> dict[str, bytes]:
    """The files of a version, its card among them."""
    files = {"saved_model.pb": graph, "variables/variables.data": weights}
    card = fake_card()
    for path, content in files.items():
        card.files.append(File(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest()))
    return {**files, CARD: json_format.MessageToJson(card, preserving_proto_field_name=True).encode()}


class Shop:
    """A store in memory, the mirror of it below a directory, and what a repository would find there."""

    def __init__(self, root: Path) -> None:
        self.address = f"memory://{uuid.uuid4().hex}/models"
        self.store = Store(self.address)
        self.clock = FakeClock()
        self.root = root
        self.mirror = Mirror(root, self.store)
        self.restart()

    def restart(self) -> None:
        """What was only remembered is forgotten."""
        self.follower = Follower(self.store, self.mirror, self.clock, SETTLE_SECONDS)

    def put(self, where: str, files: Mapping[str, bytes]) -> None:
        """Uploads `files` below `where`, "shades/1"."""
        for path, content in files.items():
            self.store._files.pipe(f"{self.store._prefix}/{where}/{path}".replace("/./", "/"), content)

    def remove(self, where: str) -> None:
        self.store._files.rm(f"{self.store._prefix}/{where}", recursive=True)

    def follow(self, *in_use):
        return self.follower.follow(set(in_use))

    def shown(self, where: str) -> dict[str, bytes] | None:
        """What a repository finds at `where`; None where that is nothing."""
        directory = self.mirror.models / where
        if not directory.exists():
            return None
        return {
            path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
        }

    def versions(self) -> list[str]:
        """What a repository finds, "shades/1"."""
        return sorted(path.relative_to(self.mirror.models).as_posix() for path in self.mirror.models.glob("*/*"))

    def set_clock(self, where: str, moment: datetime) -> None:
        """Has the store say that everything below `where` was written at `moment`."""
        for path in self.store._files.find(f"{self.store._prefix}/{where}"):
            self.store._files.store[path].created = moment
