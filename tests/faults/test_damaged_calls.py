"""Damaged calls at every door of gRPC: callers are told what is documented, and the server answers as before."""

import asyncio
from itertools import islice

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2

from protos import administration_pb2, open_inference_pb2
from protos import classification_pb2 as pb
from tests.damage import frames
from tests.damage.asking import told
from tests.damage.calls import damaged
from tests.damage.doors import DOORS
from tests.damage.subject import Subject
from tests.serving.fakes import PATIENCE
from tests.serving.running import of_models
from tests.serving.tiny import TinyModel

CALLS = 300
ASKED = TinyModel("shades", 1, seed=1, shorter_side=12, margin=0)  # so that nothing is cut from its golden inputs
VICTIM = TinyModel("victim", 1, seed=2)
"""What damaged orders are about, which may be carried out."""


@pytest.fixture(scope="module")
def server(loop, tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for model in (ASKED, VICTIM):
        model.publish(root)
    with of_models(root, loop, max_batch_size=8) as server:
        yield server


ADMINISTRATION = administration_pb2.DESCRIPTOR.services_by_name["Administration"]
NO_MESSAGE, LONG_NAME = b"\xff" * 50, "x" * 2**20


@pytest.mark.parametrize("method", [method.name for method in ADMINISTRATION.methods])
def test_an_order_that_is_no_message_is_the_callers_fault(server, method):
    with grpc.insecure_channel(f"127.0.0.1:{server.server.admin_port}") as channel:
        call = channel.unary_unary(f"/{ADMINISTRATION.full_name}/{method}").future(NO_MESSAGE, timeout=PATIENCE)
        assert call.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert call.details().startswith("A request is a message tencrop.v1.")


@pytest.mark.parametrize("method", ["Check", "Watch"])
def test_a_question_about_health_that_is_no_message_is_the_callers_fault(server, method):
    call = server.channel.unary_stream(f"/grpc.health.v1.Health/{method}")(NO_MESSAGE, timeout=PATIENCE)
    assert call.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_reflection_ends_by_what_is_no_message(server):
    service = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    call = server.channel.stream_stream(service)(iter([NO_MESSAGE]), timeout=PATIENCE)
    assert call.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("tencrop.v1.Classification/Classify", pb.ClassifyRequest(model=pb.ModelSpec(name=LONG_NAME), encoded=b"x")),
        ("inference.GRPCInferenceService/ModelMetadata", open_inference_pb2.ModelMetadataRequest(name=LONG_NAME)),
        (
            "tensorflow.serving.ModelService/GetModelStatus",
            get_model_status_pb2.GetModelStatusRequest(model_spec={"name": LONG_NAME}),
        ),
    ],
)
def test_a_model_with_a_name_of_a_megabyte_is_not_found(server, method, asked):
    call = server.channel.unary_unary(f"/{method}").future(asked.SerializeToString(), timeout=PATIENCE)
    assert call.code() is grpc.StatusCode.NOT_FOUND


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


def test_damaged_frames_get_documented_statuses_or_none(server):
    body = pb.ClassifyRequest(model=pb.ModelSpec(name="shades"), encoded=subject_of(ASKED).picture).SerializeToString()
    connections = islice(frames.damaged("tencrop.v1.Classification/Classify", body, seed=1), CALLS // 2)
    statuses = asyncio.run(frames.statuses_told(server.server.grpc_port, connections, patience=0.3))
    assert set(statuses) <= frames.DOCUMENTED
    assert {"OK", "INVALID_ARGUMENT", frames.HUNG_UP} <= set(statuses)
    assert server.classify(pb.ClassifyRequest.FromString(body)).predictions
