"""Tensors come out of their wire forms as they went in, and nothing else comes out."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving.doors.open_inference.datatypes import DATATYPES
from serving.doors.open_inference.tensors import (
    MOST,
    MOST_LISTED,
    MOST_STRINGS,
    Tensor,
    all_of,
    check_pictures,
    from_elements,
    from_raw,
    to_raw,
)
from serving.errors import InvalidRequest

SHAPES = arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)
NUMBERS = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
}
SAMPLES = st.sampled_from(list(NUMBERS.values())).flatmap(lambda dtype: arrays.arrays(dtype, SHAPES))
FILES = st.lists(st.binary(max_size=40), min_size=1, max_size=20)


def datatype_of(array: np.ndarray) -> str:
    return next(name for name, dtype in NUMBERS.items() if dtype == array.dtype)


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


@given(arrays.arrays(np.float32, SHAPES, elements=st.floats(width=16)))
def test_halves_that_machines_learn_with_survive_too(array):
    halves = array.astype(ml_dtypes.bfloat16)
    raw = from_raw("x", "BF16", halves.shape, to_raw(halves))
    listed = from_elements("x", "BF16", halves.shape, halves.astype(np.float32).ravel().tolist())
    for tensor in (raw, listed):
        np.testing.assert_array_equal(tensor.data.astype(np.float32), halves.astype(np.float32))
        assert tensor.datatype == "BF16"


def test_whole_numbers_on_both_sides_of_2_63_stay_what_they_are():
    listed = [0, 2**64 - 1, 2**63]
    assert from_elements("x", "UINT64", [3], listed).data.tolist() == listed


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
    assume(raw or more > 0)
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


@given(st.sampled_from(list(DATATYPES)), st.lists(st.integers(-2, 2**63), max_size=6), st.binary(max_size=50))
def test_whatever_is_declared_the_bytes_become_a_tensor_or_are_refused(datatype, shape, raw):
    try:
        tensor = from_raw("x", datatype, shape, raw)
    except InvalidRequest:
        return
    assert tensor.data.shape == tuple(shape)
    assert to_raw(tensor.data) == (bytes(map(bool, raw)) if datatype == "BOOL" else raw)


def test_any_byte_but_0_is_true():
    tensor = from_raw("x", "BOOL", [2, 2], b"\x00\x01\x02\xff")
    assert tensor.data.tolist() == [[False, True], [True, True]]
    assert to_raw(tensor.data) == b"\x00\x01\x01\x01"


@pytest.mark.parametrize("listed", [[256, 0], [-1, 0], [0.5, 1], [2**70, 0], [float("nan"), 0], [None, 1]])
def test_samples_out_of_their_range_are_refused(listed):
    with pytest.raises(InvalidRequest, match="whole numbers from 0 to 255"):
        from_elements("x", "UINT8", [2], listed)


@pytest.mark.parametrize(
    ("datatype", "listed", "words"),
    [
        ("INT8", [-129, 0], "from -128 to 127"),
        ("INT64", [2**63, 0], "to 9223372036854775807"),
        ("UINT64", [-1, 2**63], "from 0 to 18446744073709551615"),
        ("BOOL", [0, 1], "true or false"),
        ("FP16", [1e5, 0], "at most 65504"),
        ("FP32", [1e39, 0], "at most 3.40"),
        ("FP64", [10**400, 0], "numbers"),
        ("FP32", ["1", "2"], "numbers"),
    ],
)
def test_samples_of_another_kind_or_range_are_refused(datatype, listed, words):
    with pytest.raises(InvalidRequest, match=words):
        from_elements("x", datatype, [2], listed)


def test_the_largest_number_as_it_is_written_short_is_none_too_many():
    listed = [3.4028235e38, float("inf"), float("nan")]
    np.testing.assert_array_equal(from_elements("x", "FP32", [3], listed).data, np.array(listed, np.float32))


def test_no_more_strings_come_than_are_taken():
    assert from_raw("x", "BYTES", [MOST_STRINGS], bytes(4 * MOST_STRINGS)).data.size == MOST_STRINGS
    for shape in ([MOST_STRINGS + 1], [10**9]):
        with pytest.raises(InvalidRequest, match=str(MOST_STRINGS)):
            from_raw("x", "BYTES", shape, b"")


def test_no_more_strings_are_read_over_all_tensors_of_a_request():
    read = []

    def of_halves():
        for name in "abcd":
            read.append(name)
            yield from_raw(name, "BYTES", [MOST_STRINGS // 2], bytes(4 * (MOST_STRINGS // 2)))

    with pytest.raises(
        InvalidRequest, match=rf"{MOST_STRINGS} elements .* over all of its inputs; {MOST_STRINGS * 3 // 2}"
    ):
        all_of(of_halves())
    assert read == ["a", "b", "c"]
    numbers = [from_raw(name, "UINT8", [MOST_STRINGS], bytes(MOST_STRINGS)) for name in "ab"]
    assert all_of(numbers) == numbers


def test_no_more_pictures_come_than_are_taken():
    check_pictures(Tensor("x", np.empty([MOST], object)))
    check_pictures(Tensor("x", np.empty([MOST, 1, 1, 1], np.uint8)))
    for shape in ([MOST + 1], [MOST, 2], [0], [], [1] * 5):
        with pytest.raises(InvalidRequest, match="pictures has"):
            check_pictures(Tensor("x", np.empty(shape, object)))


def test_many_samples_come_raw():
    shape = [2, MOST_LISTED // 2 + 1]
    with pytest.raises(InvalidRequest, match="Send them raw"):
        from_elements("x", "UINT8", shape, range(2 * shape[1]))
    assert from_raw("x", "UINT8", shape, bytes(2 * shape[1])).data.shape == tuple(shape)


def test_other_types_are_refused():
    with pytest.raises(InvalidRequest, match="'COMPLEX64'"):
        from_raw("x", "COMPLEX64", [1], bytes(8))
