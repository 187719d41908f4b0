"""What the gRPC port bounds, on a real port."""

import socket
from contextlib import ExitStack

import grpc
import pytest

from protos.classification_pb2_grpc import ClassificationStub
from tests.serving.doors.fake_models import DARK, asked, label_of
from tests.serving.fakes import PATIENCE, FreeEngine, HeldEngine
from tests.serving.loops import eventually
from tests.serving.running import of_engines

# Begins a connection of HTTP/2, and says that headers with an end come on stream 1: POST of Classify, encoded plainly.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def literal(name: str, value: str) -> bytes:
    """A header as HPACK writes one that is in no table."""
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def headers_frame() -> bytes:
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/tencrop.v1.Classification/Classify",
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    block = b"".join(literal(*field) for field in fields.items())
    return len(block).to_bytes(3, "big") + bytes([1, 4, 0, 0, 0, 1]) + block


def read_until_closed_or(seen, connection: socket.socket) -> bytes:
    """What the server sends until `seen(sent)` or until it hangs up."""
    sent = b""
    while not seen(sent) and (more := connection.recv(4096)):
        sent += more
    return sent


def test_metadata_beyond_the_bound_is_refused_and_within_it_answered(loop):
    with of_engines(loop, settings={"max_header_bytes": 2048}, shades=FreeEngine()) as server:
        ask = server.stub.Classify
        assert ask(asked(DARK), metadata=(("note", "x" * 1000),), timeout=PATIENCE).label == label_of(DARK)
        with pytest.raises(grpc.RpcError) as refused:
            ask(asked(DARK), metadata=(("note", "x" * 3000),), timeout=PATIENCE)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_calls_beyond_the_streams_of_a_connection_wait_at_the_client(loop):
    engine = HeldEngine()
    with of_engines(loop, settings={"max_streams_per_connection": 2}, shades=engine) as server:
        calls = [server.stub.Classify.future(asked(DARK), timeout=PATIENCE) for _ in range(3)]
        eventually(lambda: server.server.locks.entrance.calls == 2)
        with grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as other:
            fourth = ClassificationStub(other).Classify.future(asked(DARK), timeout=PATIENCE)
            eventually(lambda: server.server.locks.entrance.calls == 3)
            engine.let_go()
            assert {call.result().label for call in [*calls, fourth]} == {label_of(DARK)}


def test_connections_beyond_the_bound_are_closed(loop):
    with (
        of_engines(loop, settings={"max_connections": 2}, shades=FreeEngine()) as server,
        ExitStack() as connections,
    ):
        connected = []
        for _ in range(3):
            one = socket.create_connection(("127.0.0.1", server.server.grpc_port), PATIENCE)
            connected.append(connections.enter_context(one))
            one.sendall(_PREFACE)
        greeted = [bool(one.recv(1)) for one in connected]
        assert greeted == [True, True, False]


def test_a_connection_without_calls_ends(loop):
    with of_engines(loop, settings={"idle_seconds": 0.1}, shades=FreeEngine()) as server:
        with socket.create_connection(("127.0.0.1", server.server.grpc_port), PATIENCE) as idle:
            idle.sendall(_PREFACE)
            read_until_closed_or(lambda sent: False, idle)
        assert server.classify(asked(DARK)).label == label_of(DARK)


def test_a_call_whose_message_never_comes_ends_and_leaves_its_place_to_others(loop):
    with of_engines(loop, settings={"idle_seconds": 0.2, "max_calls": 1}, shades=FreeEngine()) as server:
        with socket.create_connection(("127.0.0.1", server.server.grpc_port), PATIENCE) as slow:
            slow.sendall(_PREFACE + headers_frame())
            eventually(lambda: server.server.locks.entrance.calls == 1)
            eventually(lambda: server.server.locks.entrance.calls == 0)
        assert server.classify(asked(DARK)).label == label_of(DARK)


def test_an_old_connection_ends_and_its_calls_in_flight_are_answered(loop):
    engine = HeldEngine()
    with of_engines(loop, settings={"max_connection_age_seconds": 0.1}, shades=engine) as server:
        states = []
        server.channel.subscribe(states.append)
        call = server.stub.Classify.future(asked(DARK), timeout=PATIENCE)
        engine.wait_until_busy()
        eventually(lambda: grpc.ChannelConnectivity.IDLE in states[1:])
        engine.let_go()
        assert call.result().label == label_of(DARK)
