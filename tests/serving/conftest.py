"""Real models, made once, a real server over them, and clients of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serving.client import Client
from tests.serving.choir import DECLARATION, GREYS, SHADES_1, SHADES_2, TONES
from tests.serving.clients import AsyncFromOutside
from tests.serving.running import Running, of_models


@pytest.fixture(scope="session")
def models_root(tmp_path_factory) -> Path:
    """A repository: shades 1 and 2, tones 1, greys 1, and the ensemble choir. Not to be changed."""
    root = tmp_path_factory.mktemp("models")
    for model in (SHADES_1, SHADES_2, TONES, GREYS):
        model.publish(root)
    (root / "models.yaml").write_text(DECLARATION)
    return root


@pytest.fixture(scope="session")
def served(models_root, loop) -> Iterator[Running]:
    """A real server over `models_root`."""
    with of_models(models_root, loop, max_batch_size=8, max_picture_bytes=50_000) as server:
        yield server


@pytest.fixture(params=["sync", "async"])
def connect(request, loop):
    """Makes a client of an address, closed at the end of a block."""

    @contextmanager
    def connect(address, **options):
        client = Client(address, **options) if request.param == "sync" else AsyncFromOutside(loop, address, **options)
        try:
            yield client
        finally:
            client.close()

    return connect


@pytest.fixture
def client(connect, served):
    """A client of `served`."""
    with connect(served.address) as client:
        yield client
