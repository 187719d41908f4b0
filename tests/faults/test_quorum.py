"""Members of an ensemble that raise, hang or give no numbers: a quorum answers, health tells, metrics count."""

import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.models.catalogue import ServedModel
from serving.models.ensemble import Ensemble, Member
from serving.models.repository import Repository
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of
from tests.serving.fakes import PATIENCE, FreeEngine, HeldEngine, brightness_logits, fake_servable
from tests.serving.loops import eventually
from tests.serving.running import MEAN, running

WELL, ILL = ("one", "two"), "three"
ABSENT = "tencrop_absent_members_total"


class Moody(FreeEngine):
    """An engine that is ill until it is cured."""

    def __init__(self, illness) -> None:
        super().__init__(lambda rows: (illness if self.ill else brightness_logits)(rows))
        self.ill = True


def raises(rows):
    raise RuntimeError("broken")


def gives_no_numbers(rows):
    return np.full((len(rows), 3), np.nan, np.float32)


def serving(loop, engine, quorum=2):
    """A server of two members that are well and one of `engine`."""

    def load(_, metrics):
        engines = {**{name: FreeEngine() for name in WELL}, ILL: engine}
        servables = {
            name: fake_servable(name, engine=each, observer=metrics.queue_observer(name, 1))
            for name, each in engines.items()
        }
        members = tuple(Member(each) for each in servables.values())
        choir = Ensemble("choir", members, MEAN, quorum=quorum, patience_seconds=0.05)
        return Repository({name: ServedModel(name, {1: each}) for name, each in servables.items()}, {"choir": choir})

    return running(loop, load)


def health(server, name):
    stub = health_pb2_grpc.HealthStub(server.channel)
    status = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=PATIENCE).status
    return health_pb2.HealthCheckResponse.ServingStatus.Name(status)


@pytest.mark.parametrize("illness", [raises, gives_no_numbers])
def test_a_quorum_answers_without_a_member_that_fails_and_health_tells_until_it_is_well(loop, illness):
    engine = Moody(illness)
    with serving(loop, engine) as server:
        for level in (DARK, BRIGHT):
            answer = server.classify(asked(level, "choir"))
            assert answer.label == label_of(level)
            assert [each.name for each in answer.model_versions] == list(WELL)
            assert [(each.model_version.name, each.reason) for each in answer.absent_members] == [(ILL, "failed")]
        assert server.sample(ABSENT, model="choir", member=ILL, reason="failed") == 2
        eventually(lambda: health(server, ILL) == "NOT_SERVING")
        assert [health(server, name) for name in ("", "choir", *WELL)] == ["SERVING"] * 4
        engine.ill = False
        assert not server.classify(asked(DARK, "choir")).absent_members
        eventually(lambda: health(server, ILL) == "SERVING")


def test_a_quorum_answers_without_a_member_that_hangs(loop):
    engine = HeldEngine()
    with serving(loop, engine) as server:
        try:
            answer = server.classify(asked(BRIGHT, "choir"))
            assert answer.label == label_of(BRIGHT)
            assert [(each.model_version.name, each.reason) for each in answer.absent_members] == [(ILL, "late")]
            assert server.sample(ABSENT, model="choir", member=ILL, reason="late") == 1
        finally:
            engine.let_go()


def test_an_ensemble_without_enough_well_members_is_not_serving(loop):
    with serving(loop, FreeEngine(raises), quorum=3) as server:
        assert server.refusal(asked(DARK, "choir"))[0].name == "INTERNAL"
        eventually(lambda: health(server, "choir") == "NOT_SERVING")
        assert health(server, "") == "SERVING"
