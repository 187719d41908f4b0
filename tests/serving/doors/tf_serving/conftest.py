"""Servers that TensorFlow Serving's own stubs ask on a real port, and an HTTP client of each."""

from collections.abc import Iterator

import httpx
import pytest
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from serving.models.engines.saved_model import SavedModelSignatures
from serving.models.repository import Repository, ServedModel
from tests.serving.doors.tf_serving import halves
from tests.serving.fakes import PATIENCE, fake_servable
from tests.serving.running import Running, running


class Asked:
    """A server, as TensorFlow Serving's clients see it."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.prediction = PredictionServiceStub(server.channel)
        self.model = ModelServiceStub(server.channel)
        self.rest = httpx.Client(base_url=f"http://127.0.0.1:{server.server.http_port}", timeout=PATIENCE)


@pytest.fixture(scope="session")
def pictures(served) -> Iterator[Asked]:
    """Over image models and an ensemble of them."""
    asked = Asked(served)
    yield asked
    asked.rest.close()


@pytest.fixture(scope="session")
def numbers(loop, tmp_path_factory) -> Iterator[Asked]:
    """Over the toy model, whose pictures nobody asks about."""
    directory = tmp_path_factory.mktemp("halves")
    halves.save(directory)

    def load(settings, metrics):
        signatures = SavedModelSignatures(directory)
        servable = fake_servable(halves.NAME, halves.VERSION, signatures=signatures)
        return Repository({halves.NAME: ServedModel(halves.NAME, {halves.VERSION: servable})}, {})

    with running(loop, load) as server:
        asked = Asked(server)
        yield asked
        asked.rest.close()
