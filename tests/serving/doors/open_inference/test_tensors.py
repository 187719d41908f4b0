"""Tensors come out of their wire forms as they went in, and nothing else comes out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving.doors.open_inference.tensors import MOST, MOST_LISTED, from_elements, from_raw, to_raw
from serving.errors import InvalidRequest

SHAPES = arrays.array_shapes(max_dims=4, max_side=5)
SAMPLES = arrays.arrays(np.uint8, SHAPES) | arrays.arrays(np.float32, SHAPES)
SHAPES_TOLD = st.lists(st.integers(-2, 2**63) | st.integers(1, 3), max_size=6)
FILES = st.lists(st.binary(max_size=40), min_size=1, max_size=20)


def datatype_of(array: np.ndarray) -> str:
    return {"uint8": "UINT8", "float32": "FP32"}[array.dtype.name]


@given(SAMPLES)
def test_samples_survive_being_raw(array):
    tensor = from_raw("x", datatype_of(array), array.shape, to_raw(array))
    np.testing.assert_array_equal(tensor.data, array)
    assert (tensor.data.dtype, tensor.datatype) == (array.dtype, datatype_of(array))


@given(SAMPLES)
def test_samples_survive_being_listed(array):
    tensor = from_elements("x", datatype_of(array), array.shape, array.ravel().tolist())
    np.testing.assert_array_equal(tensor.data, array)
    assert tensor.data.dtype == array.dtype


@given(FILES)
def test_files_survive_both_ways(files):
    shape = (len(files), 1)
    listed = from_elements("x", "BYTES", shape, files)
    assert listed.data.ravel().tolist() == files
    raw = from_raw("x", "BYTES", shape, to_raw(listed.data))
    assert raw.data.tolist() == listed.data.tolist()
    assert raw.datatype == "BYTES"


@given(SAMPLES, st.integers(-3, 3).filter(bool))
def test_raw_samples_of_another_length_are_refused(array, more):
    raw = to_raw(array)
    longer = raw + bytes(more) if more > 0 else raw[:more]
    with pytest.raises(InvalidRequest, match="came"):
        from_raw("x", datatype_of(array), array.shape, longer)


@given(FILES, st.data())
def test_files_that_end_too_early_or_too_late_are_refused(files, data):
    raw = b"".join(len(file).to_bytes(4, "little") + file for file in files)
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(InvalidRequest, match="each behind its length"):
        from_raw("x", "BYTES", [len(files)], raw[:cut])
    with pytest.raises(InvalidRequest, match="each behind its length"):
        from_raw("x", "BYTES", [len(files)], raw + b"x")


@given(
    st.sampled_from(["UINT8", "FP32", "BYTES"]), st.lists(st.integers(-2, 2**63), max_size=6), st.binary(max_size=50)
)
def test_whatever_is_declared_the_bytes_become_a_tensor_or_are_refused(datatype, shape, raw):
    try:
        tensor = from_raw("x", datatype, shape, raw)
    except InvalidRequest:
        return
    assert tensor.data.shape == tuple(shape)
    assert to_raw(tensor.data) == raw


@pytest.mark.parametrize("listed", [[256, 0], [-1, 0], [0.5, 1], [2**70, 0], [float("nan"), 0], [None, 1]])
def test_samples_out_of_their_range_are_refused(listed):
    with pytest.raises(InvalidRequest, match="whole numbers from 0 to 255"):
        from_elements("x", "UINT8", [2], listed)


def test_no_more_pictures_come_than_are_taken():
    assert from_raw("x", "BYTES", [MOST], bytes(4 * MOST)).data.size == MOST
    for shape in ([MOST + 1], [MOST, 2]):
        with pytest.raises(InvalidRequest, match=str(MOST)):
            from_raw("x", "BYTES", shape, bytes(4 * 2 * MOST))


def test_many_samples_come_raw():
    shape = [2, MOST_LISTED // 2 + 1]
    with pytest.raises(InvalidRequest, match="Send them raw"):
        from_elements("x", "UINT8", shape, range(2 * shape[1]))
    assert from_raw("x", "UINT8", shape, bytes(2 * shape[1])).data.shape == tuple(shape)


def test_other_types_are_refused():
    with pytest.raises(InvalidRequest, match="'INT64'"):
        from_raw("x", "INT64", [1], bytes(8))
