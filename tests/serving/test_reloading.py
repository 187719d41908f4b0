"""A real server whose models change under its callers, by the directory and by administrators."""

import threading
from collections import Counter

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from protos import classification_pb2 as pb
from serving.client.administration import AdministrationClient
from serving.errors import ModelRejected, NotServed
from serving.models import card as cards
from tests.serving.doors.fake_models import DARK, asked
from tests.serving.fakes import PATIENCE
from tests.serving.loops import eventually
from tests.serving.running import of_models
from tests.serving.tiny import TinyModel

CALLERS = 8


def shades(version: int) -> TinyModel:
    return TinyModel("shades", version, seed=version)


@pytest.fixture
def root(tmp_path):
    shades(1).publish(tmp_path)
    return tmp_path


@pytest.fixture
def server(root, loop):
    """A server that looks into its directory all the time."""
    with of_models(root, loop, max_batch_size=4, poll_seconds=0.01) as server:
        yield server


@pytest.fixture
def admin(server):
    with AdministrationClient(f"127.0.0.1:{server.server.admin_port}", timeout=PATIENCE) as client:
        yield client


class Callers:
    """Callers who ask again as soon as they are answered, and what they got."""

    def __init__(self, server) -> None:
        self.versions: Counter[int] = Counter()
        self.failures: list[grpc.RpcError] = []
        self._server = server
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(CALLERS)]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def got(self, version: int) -> bool:
        return self.versions[version] > 0

    def _ask(self) -> None:
        while not self._over.is_set():
            try:
                answer = self._server.classify(asked(DARK))
                self.versions[answer.model_versions[0].version] += 1
            except grpc.RpcError as error:
                self.failures.append(error)


def statuses(server) -> dict[int, pb.VersionStatus]:
    (model,) = server.stub.ListModels(pb.ListModelsRequest(), timeout=PATIENCE).models
    return {each.version: each for each in model.version_statuses}


def break_weights(version) -> None:
    next(version.glob("variables/*.data*")).write_bytes(b"half")


def test_versions_change_under_callers_and_no_call_fails(root, server):
    with Callers(server) as callers:
        eventually(lambda: callers.got(1))
        for version in (2, 3, 4):
            shades(version).publish(root)
            eventually(lambda version=version: callers.got(version))
    assert callers.failures == []
    eventually(lambda: statuses(server)[3].state == pb.VersionStatus.STATE_END)
    assert server.sample("tencrop_model_loaded", model="shades", version="4") == 1
    assert 'version="1"' not in server.http("/metrics")[0]


def test_a_broken_version_is_seen_in_the_list_and_in_metrics_and_the_good_one_answers(root, server):
    break_weights(shades(2).publish(root / "aside"))
    (root / "aside" / "shades" / "2").rename(root / "shades" / "2")
    eventually(lambda: statuses(server).get(2, pb.VersionStatus()).state == pb.VersionStatus.STATE_START)
    assert "bytes yet" in statuses(server)[2].error
    assert server.classify(asked(DARK)).model_versions[0].version == 1


def test_a_version_that_breaks_its_cards_promise_is_seen_in_the_list_and_in_metrics(root, server):
    version = shades(2).publish(root / "aside")
    card = cards.read(version)
    card.golden_inputs[0].probabilities[0] += 0.1
    cards.write(card, version)
    version.rename(root / "shades" / "2")
    eventually(lambda: server.sample("tencrop_model_failed", model="shades", version="2") == 1)
    assert "golden inputs" in statuses(server)[2].error
    assert server.classify(asked(DARK)).model_versions[0].version == 1


def test_the_health_of_models_follows_them(root, server):
    stub = health_pb2_grpc.HealthStub(server.channel)

    def health(name) -> int:
        call = stub.Check.future(health_pb2.HealthCheckRequest(service=name), timeout=PATIENCE)
        unknown = call.code() == grpc.StatusCode.NOT_FOUND  # never heard of; one that has gone has a status of its own
        return health_pb2.HealthCheckResponse.SERVICE_UNKNOWN if unknown else call.result().status

    TinyModel("tones", 1, seed=7).publish(root)
    eventually(lambda: health("tones") == health_pb2.HealthCheckResponse.SERVING)
    (root / "tones").rename(root.with_name("away"))
    eventually(lambda: health("tones") == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)


def test_an_administrator_promotes_and_rolls_back(root, server, admin):
    shades(2).publish(root)
    assert admin.promote("shades", 1).labels == {"production": 1}
    assert admin.promote("shades", 2).labels == {"production": 2}
    assert admin.roll_back("shades").labels == {"production": 1}
    assert admin.set_label("shades", "canary", 2).labels == {"production": 1, "canary": 2}
    assert admin.remove_label("shades", "canary").labels == {"production": 1}


def test_an_administrator_unloads_and_loads(root, server, admin):
    shades(2).publish(root)
    admin.load("shades", 1)
    assert {each.version for each in admin.load("shades", 2).versions if each.state == "AVAILABLE"} == {1, 2}
    assert "AVAILABLE" not in {each.state for each in admin.unload("shades").versions}
    assert server.refusal(asked(DARK))[0] == grpc.StatusCode.NOT_FOUND
    admin.load("shades")
    assert server.classify(asked(DARK)).label


def test_an_administrator_is_told_what_cannot_be_done(root, server, admin):
    break_weights(shades(2).publish(root))
    with pytest.raises(ModelRejected, match="cannot be loaded, and all is as it was"):
        admin.promote("shades", 2)
    with pytest.raises(NotServed, match="A version has to lie in"):
        admin.promote("shades", 9)
    with pytest.raises(NotServed, match="has to be known"):
        admin.status("tones")


def test_the_public_port_takes_no_orders(server):
    with (
        AdministrationClient(server.address, timeout=PATIENCE) as client,
        pytest.raises(Exception, match="UNIMPLEMENTED"),
    ):
        client.unload("shades")
