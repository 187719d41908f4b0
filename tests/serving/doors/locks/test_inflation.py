"""Compressed messages are read within the bound of all messages."""

import gzip
import tracemalloc
import zlib

import grpc
import pytest

from serving.doors.locks.inflation import inflated
from serving.errors import InvalidRequest
from tests.serving.doors.fake_models import DARK, asked, label_of
from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.running import of_engines

MESSAGE = asked(DARK).SerializeToString()
COMPRESSIONS = [gzip.compress, zlib.compress]


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_a_compressed_message_is_inflated(compress):
    assert inflated(compress(MESSAGE), len(MESSAGE)) == MESSAGE


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_a_message_that_would_be_longer_than_the_bound_is_refused(compress):
    refused = inflated(compress(MESSAGE), len(MESSAGE) - 1)
    assert isinstance(refused, InvalidRequest)
    assert str(refused).startswith(f"A message has at most {len(MESSAGE) - 1} bytes")


@pytest.mark.parametrize("body", [b"", b"\x78", b"\x78\x9c", b"\x78\x01\x0a\x00", gzip.compress(MESSAGE)[:-3], MESSAGE])
def test_what_is_not_compressed_or_not_whole_stays_as_it_is(body):
    assert inflated(body, 1000) == body


def test_no_more_is_made_of_a_message_than_the_bound():
    bomb = gzip.compress(bytes(10**8))
    tracemalloc.start()
    inflated(bomb, 10_000)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10**6


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_callers_may_compress_and_bombs_are_refused_before_they_go_off(loop, compression):
    with of_engines(loop, settings={"max_picture_bytes": 1000}, shades=FreeEngine()) as server:
        ask = server.stub.Classify
        assert ask(asked(DARK), compression=compression, timeout=PATIENCE).label == label_of(DARK)
        bomb = asked(DARK, routing_key="x" * 10**7)
        with pytest.raises(grpc.RpcError) as refused:
            ask(bomb, compression=compression, timeout=PATIENCE)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "compressed or not" in refused.value.details()
