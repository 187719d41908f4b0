"""TFRecord files that TensorFlow wrote are read, and broken ones are told from whole ones."""

import struct

import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.tfrecords import MAX_RECORD_BYTES, framed, masked_checksum, records_in


@pytest.fixture
def path(tmp_path):
    return tmp_path / "records"


def write(path, records):
    with tf.io.TFRecordWriter(str(path)) as file:
        for record in records:
            file.write(record)


@given(st.lists(st.binary(max_size=50), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_tensorflow_wrote_is_read(path, records):
    write(path, records)
    assert list(records_in(path)) == records


@given(at=st.integers(0, 40), bit=st.integers(0, 7))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_bit_that_fell_over_is_noticed(path, at, bit):
    write(path, [b"one record", b"another"])
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged|at most"):
        list(records_in(path))


@given(kept=st.integers(1, 25))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_was_cut_off_is_noticed(path, kept):
    write(path, [b"one record"])
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match="cut"):
        list(records_in(path))


def test_a_length_beyond_the_bound_is_not_read(path):
    length = struct.pack("<Q", MAX_RECORD_BYTES + 1)
    path.write_bytes(length + struct.pack("<I", masked_checksum(length)))
    with pytest.raises(ValueError, match="at most"):
        list(records_in(path))


@given(st.lists(st.binary(max_size=50), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tensorflow_reads_what_is_written(path, records):
    path.write_bytes(b"".join(map(framed, records)))
    assert [record.numpy() for record in tf.data.TFRecordDataset(str(path))] == records
