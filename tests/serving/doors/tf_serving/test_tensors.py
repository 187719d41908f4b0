"""Tensors as TensorFlow itself makes and reads them, of every type, and those that are none."""

import contextlib

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving.doors.tf_serving.apis import DataType, TensorProto, TensorShapeProto
from serving.doors.tf_serving.tensors import MAX_TENSOR_BYTES, from_array, to_array
from serving.errors import InvalidRequest

NUMBERS = [
    *(np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *(np.dtype(name) for name in ("bool", "float16", "float32", "float64", "complex64", "complex128")),
]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ANY_NUMBERS = st.sampled_from(NUMBERS).flatmap(lambda dtype: arrays.arrays(dtype, SHAPES))
STRINGS = SHAPES.flatmap(lambda shape: arrays.arrays(object, shape, elements=st.binary(max_size=9), fill=st.nothing()))


def same(one: np.ndarray, other: np.ndarray) -> None:
    """Fails unless both have the same type, shape and values; one that is not a number is like any other."""
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(one, other)


@given(ANY_NUMBERS | STRINGS)
def test_a_tensor_that_tensorflow_wrote_is_read(array):
    if array.size or array.dtype != object:
        same(to_array(tf.make_tensor_proto(array, array.dtype, array.shape)), array)


@given(ANY_NUMBERS | STRINGS)
def test_a_tensor_is_written_in_typed_values_that_tensorflow_reads(array):
    proto = from_array(array)
    assert not proto.tensor_content
    same(tf.make_ndarray(proto), array)


@given(ANY_NUMBERS | STRINGS)
def test_what_is_written_is_read_again(array):
    same(to_array(from_array(array)), array)


def test_any_byte_of_content_but_0_is_true():
    proto = proto_of("DT_BOOL", [4], tensor_content=b"\x00\x01\x02\xff")
    same(to_array(from_array(to_array(proto))), np.array([False, True, True, True]))
    assert to_array(proto).tobytes() == b"\x00\x01\x01\x01"


def test_sixteen_bits_of_a_float_are_kept():
    array = np.array([1.0, -0.5, 3.0e38], ml_dtypes.bfloat16)
    same(tf.make_ndarray(from_array(array)), array)
    same(to_array(tf.make_tensor_proto(array)), array)


def proto_of(dtype: str, shape, **values) -> TensorProto:
    sizes = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shape])
    return TensorProto(dtype=DataType.Value(dtype), tensor_shape=sizes, **values)


@given(st.lists(st.integers(-128, 127), min_size=1, max_size=5), st.integers(0, 5))
def test_the_last_value_stands_for_those_that_are_left_out(values, more):
    proto = proto_of("DT_INT8", [len(values) + more], int_val=values)
    assert to_array(proto).tolist() == values + values[-1:] * more
    same(to_array(proto), tf.make_ndarray(proto))


NO_TENSORS = {
    "no type": TensorProto(),
    "a type of another age": TensorProto(dtype=91),
    "a resource": proto_of("DT_RESOURCE", [1]),
    "an unknown rank": TensorProto(dtype=DataType.DT_FLOAT, tensor_shape=TensorShapeProto(unknown_rank=True)),
    "a negative size": proto_of("DT_FLOAT", [-1], float_val=[1]),
    "too many sizes": proto_of("DT_FLOAT", [1] * 33, float_val=[1]),
    "no values": proto_of("DT_FLOAT", [2]),
    "too many values": proto_of("DT_FLOAT", [2], float_val=[1, 2, 3]),
    "content that is too short": proto_of("DT_FLOAT", [2], tensor_content=bytes(7)),
    "content that is too long": proto_of("DT_FLOAT", [2], tensor_content=bytes(9)),
    "a value out of range": proto_of("DT_UINT8", [1], int_val=[256]),
    "a value below zero": proto_of("DT_UINT16", [1], int_val=[-1]),
    "half of a complex number": proto_of("DT_COMPLEX64", [1], scomplex_val=[1]),
    "one value for a world of them": proto_of("DT_UINT8", [MAX_TENSOR_BYTES + 1], int_val=[1]),
    "nothing, in a shape beyond all memory": proto_of("DT_UINT8", [0, 2**62, 2]),
    "a shape beyond all memory": proto_of("DT_INT64", [2**40, 2**40], int64_val=[1]),
}


@pytest.mark.parametrize("proto", NO_TENSORS.values(), ids=NO_TENSORS)
def test_what_is_no_tensor_is_refused(proto):
    with pytest.raises(InvalidRequest):
        to_array(proto)


@given(st.builds(TensorProto.FromString, st.just(b"")), st.lists(st.integers(-3, 2**62), max_size=4), st.data())
def test_no_tensor_makes_it_fail_in_another_way(proto, shape, data):
    proto.dtype = data.draw(st.sampled_from(DataType.values()))
    proto.tensor_shape.dim.extend(TensorShapeProto.Dim(size=size) for size in shape)
    proto.int_val.extend(data.draw(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4)))
    proto.half_val.extend(data.draw(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4)))
    proto.tensor_content = data.draw(st.binary(max_size=9))
    with contextlib.suppress(InvalidRequest):
        to_array(proto)
