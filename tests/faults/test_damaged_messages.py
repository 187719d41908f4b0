"""Bodies that are no message, and messages that make no sense: the caller is told so, and the log is left in peace."""

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protos import classification_pb2 as pb
from tests.faults.asking import statuses
from tests.faults.books import Books
from tests.serving.doors.fake_models import DARK, asked
from tests.serving.fakes import PATIENCE, FreeEngine

SERVICE = "/tencrop.v1.Classification/"
INVALID = grpc.StatusCode.INVALID_ARGUMENT
DOCUMENTED = {grpc.StatusCode.OK, INVALID, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.RESOURCE_EXHAUSTED}
WHOLE = asked(DARK).SerializeToString()
NO_MESSAGE = b"\xff" * 50


@pytest.fixture
def server(unharmed):
    with unharmed(shades=FreeEngine()) as server:
        yield server


@pytest.mark.parametrize("method", ["Classify", "ListModels"])
def test_a_body_that_is_no_message_is_told_what_it_should_have_been(server, method):
    with pytest.raises(grpc.RpcError) as refused:
        server.channel.unary_unary(SERVICE + method)(NO_MESSAGE, timeout=PATIENCE)
    assert refused.value.code() == INVALID
    assert refused.value.details().startswith(f"A request is a message tencrop.v1.{method}Request; 50 bytes")


def test_a_body_that_is_no_message_is_counted(server):
    server.channel.unary_unary(SERVICE + "Classify").future(NO_MESSAGE, timeout=PATIENCE).code()
    assert Books(server).calls(method="Classify", model="", status="INVALID_ARGUMENT") == 1


def test_an_item_that_is_no_message_is_refused_under_no_id_and_leaves_the_stream_open(server):
    converse = server.channel.stream_stream(
        SERVICE + "ClassifyStream", response_deserializer=pb.ClassifyStreamResponse.FromString
    )
    right = pb.ClassifyStreamRequest(id="right", request=asked(DARK)).SerializeToString()
    answers = {each.id: each for each in converse(iter([NO_MESSAGE, right]), timeout=PATIENCE)}
    assert answers[""].error.code == INVALID.value[0]
    assert answers["right"].response.label
    assert len(answers) == 2


def bodies():
    """Arbitrary bytes, and a request cut short or with bytes changed."""
    at = st.integers(0, len(WHOLE) - 1)
    cut = at.map(lambda end: WHOLE[:end])
    changed = st.lists(st.tuples(at, st.integers(0, 255)), min_size=1, max_size=4).map(with_changes)
    return st.one_of(st.binary(max_size=200), cut, changed)


def with_changes(changes: list[tuple[int, int]]) -> bytes:
    body = bytearray(WHOLE)
    for at, value in changes:
        body[at] = value
    return bytes(body)


def test_bodies_with_random_damage_get_documented_statuses(server):
    classify = server.channel.unary_unary(SERVICE + "Classify")

    @settings(max_examples=40)
    @given(st.lists(bodies(), min_size=20, max_size=20))
    def check(damaged):
        assert set(statuses([classify.future(body, timeout=PATIENCE) for body in damaged])) <= DOCUMENTED

    check()


numbers = st.floats(width=32)
enums = st.integers(-(2**31), 2**31 - 1) | st.integers(-1, 12)
tensors = st.builds(
    pb.Tensor,
    data_type=enums,
    shape=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 9), max_size=5),
    content=st.binary(max_size=100),
)
models = st.builds(pb.ModelSpec, name=st.sampled_from(["shades", "", "\0", "../shades"]), version=st.integers(-1, 2))
boxes = st.builds(pb.Box, top=numbers, left=numbers, bottom=numbers, right=numbers)
requests = st.builds(
    pb.ClassifyRequest,
    model=models,
    tensor=st.just(asked(DARK).tensor) | tensors,
    views=enums,
    vote=enums,
    top_k=st.none() | st.integers(0, 2**32 - 1) | st.integers(0, 4),
    with_view_scores=st.booleans(),
    with_member_scores=st.booleans(),
    min_confidence=numbers,
    boxes=st.lists(boxes, max_size=3) | st.just([pb.Box()] * 151),
    min_views=enums,
    priority=enums,
    adaptive=st.booleans(),
)


def test_requests_of_random_values_get_documented_statuses(server):
    @settings(max_examples=30)
    @given(st.lists(requests, min_size=10, max_size=10))
    def check(random):
        calls = [server.stub.Classify.future(request, timeout=PATIENCE) for request in random]
        assert set(statuses(calls)) <= DOCUMENTED

    check()
