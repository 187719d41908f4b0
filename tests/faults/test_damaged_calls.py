"""Damaged calls at every door of gRPC: callers are told what is documented, and the server answers as before."""

from itertools import islice

import pytest

from protos import classification_pb2 as pb
from tests.damage.asking import told
from tests.damage.calls import damaged
from tests.damage.doors import DOORS
from tests.damage.subject import Subject
from tests.serving.running import of_models
from tests.serving.tiny import TinyModel

CALLS = 300
ASKED, VICTIM = TinyModel("shades", 1, seed=1), TinyModel("victim", 1, seed=2)
"""The second is what damaged orders are about, which may be carried out."""


@pytest.fixture(scope="module")
def server(loop, tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for model in (ASKED, VICTIM):
        model.publish(root)
    with of_models(root, loop, max_batch_size=8) as server:
        yield server


def subject_of(model: TinyModel) -> Subject:
    return Subject.of(model.card())


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::ResourceWarning")  # Pillow warns of damage, and reads on
@pytest.mark.parametrize("name", DOORS)
def test_damaged_calls_get_documented_statuses_and_leave_the_log_in_peace(server, name, caplog):
    door = DOORS[name]
    port = server.server.grpc_port if door.is_public else server.server.admin_port
    found = told(port, islice(damaged(door.originals(subject_of(ASKED if door.is_public else VICTIM)), seed=1), CALLS))
    assert set(found.statuses) <= door.documented, found.examples
    assert found.statuses.total() == CALLS
    assert {"OK", "UNIMPLEMENTED"} <= set(found.statuses)
    assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    whole = subject_of(ASKED)
    answer = server.classify(pb.ClassifyRequest(model=pb.ModelSpec(name=whole.name), encoded=whole.picture))
    assert answer.predictions[0].class_id == whole.winner
