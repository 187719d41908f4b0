"""Tensors in JSON: what is written is read again, and what is none is refused."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving.doors.tf_serving.json_tensors import columns_of, inputs_of, parse, rows_of
from serving.errors import InvalidRequest
from serving.models.signatures import PREDICT, Signature, TensorSpec

NUMBERS = {
    "DT_BOOL": np.bool_,
    "DT_FLOAT": np.float32,
    "DT_DOUBLE": np.float64,
    "DT_HALF": np.float16,
    "DT_INT8": np.int8,
    "DT_INT32": np.int32,
    "DT_INT64": np.int64,
    "DT_UINT8": np.uint8,
    "DT_UINT64": np.uint64,
}
SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


def taking(dtype: str, *names: str) -> Signature:
    return Signature("any", PREDICT, {name: TensorSpec(f"{name}:0", dtype, None) for name in names}, {})


@given(st.sampled_from(list(NUMBERS)), st.data())
def test_numbers_are_read_as_they_were_written(dtype, data):
    array = data.draw(arrays.arrays(NUMBERS[dtype], SHAPES))
    for document in ({"instances": rows_of({"x": array})}, {"inputs": columns_of({"x": array})}):
        found = inputs_of(parse(json.dumps(document).encode()), taking(dtype, "x"))["x"]
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


@given(arrays.arrays(object, SHAPES, elements=st.binary(max_size=5), fill=st.nothing()))
def test_bytes_are_read_as_they_were_written(array):
    document = {"inputs": columns_of({"x_bytes": array})}
    found = inputs_of(parse(json.dumps(document).encode()), taking("DT_STRING", "x"))["x"]
    np.testing.assert_array_equal(found, array)


@given(SHAPES, st.data())
def test_several_tensors_are_read_by_rows_as_by_columns(shape, data):
    given_ = {name: data.draw(arrays.arrays(np.int32, shape)) for name in "ab"}
    for document in ({"instances": rows_of(given_)}, {"inputs": columns_of(given_)}):
        found = inputs_of(document, taking("DT_INT32", "a", "b"))
        for name, array in given_.items():
            np.testing.assert_array_equal(found[name], array)


def test_a_float_is_as_short_as_tells_it_from_its_neighbours():
    assert json.dumps(columns_of({"x": np.array([0.2, 1e-8, 3, np.inf], np.float32)})) == "[0.2, 1e-08, 3.0, Infinity]"


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("DT_UINT8", [256]), ("DT_UINT8", [-1]), ("DT_INT32", [1.5]), ("DT_INT64", [2**63]), ("DT_FLOAT", [None])],
)
def test_a_value_that_its_type_has_not_is_refused(dtype, value):
    with pytest.raises(InvalidRequest):
        inputs_of({"inputs": value}, taking(dtype, "x"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "b64"]), values),
    max_leaves=8,
)


@given(st.sampled_from(["instances", "inputs"]), JSON, st.sampled_from([*NUMBERS, "DT_STRING"]), st.booleans())
def test_no_document_makes_it_fail_in_another_way(key, value, dtype, two):
    with contextlib.suppress(InvalidRequest):
        inputs_of({key: value}, taking(dtype, *("xy" if two else "x")))
