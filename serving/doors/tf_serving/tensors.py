"""tensorflow.TensorProto to numpy and back, as tensorflow/core/framework/tensor.proto says.

Tensors arrive as raw content or as typed values, and leave as typed values, as TensorFlow Serving's do. Not known are
quantised and sub-byte types, resources and variants.
"""

import math
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from serving.doors.tf_serving.apis import DataType, TensorProto, TensorShapeProto
from serving.errors import InvalidRequest

MAX_TENSOR_BYTES = 2**26
"""Of one that arrives. A message's own length is no bound: its last value stands for all that are left out."""

_MANY_VALUES = 2**16  # some milliseconds
_MAX_RANK = 32  # numpy's


class _Kind(NamedTuple):
    """How one type is held."""

    dtype: np.dtype[Any]
    field: str
    """Of TensorProto, with its typed values."""
    held: np.dtype[Any]
    """What those values are: the numbers themselves, their bits, or the parts of complex ones in turn."""


def _kind(dtype: Any, field: str, held: Any = None) -> _Kind:
    return _Kind(np.dtype(dtype), field, np.dtype(held or dtype))


_KINDS: dict[str, _Kind] = {
    "DT_BFLOAT16": _kind(ml_dtypes.bfloat16, "half_val", np.uint16),
    "DT_BOOL": _kind(np.bool_, "bool_val"),
    "DT_COMPLEX64": _kind(np.complex64, "scomplex_val", np.float32),
    "DT_COMPLEX128": _kind(np.complex128, "dcomplex_val", np.float64),
    "DT_DOUBLE": _kind(np.float64, "double_val"),
    "DT_FLOAT": _kind(np.float32, "float_val"),
    "DT_HALF": _kind(np.float16, "half_val", np.uint16),
    "DT_INT8": _kind(np.int8, "int_val"),
    "DT_INT16": _kind(np.int16, "int_val"),
    "DT_INT32": _kind(np.int32, "int_val"),
    "DT_INT64": _kind(np.int64, "int64_val"),
    "DT_STRING": _kind(np.object_, "string_val"),
    "DT_UINT8": _kind(np.uint8, "int_val"),
    "DT_UINT16": _kind(np.uint16, "int_val"),
    "DT_UINT32": _kind(np.uint32, "uint32_val"),
    "DT_UINT64": _kind(np.uint64, "uint64_val"),
}
_NAMES = {kind.dtype: name for name, kind in _KINDS.items()}


def dtype_name(proto: TensorProto) -> str:
    """TensorFlow's name of the type that `proto` says it has; its number where it is none."""
    return DataType.Name(proto.dtype) if proto.dtype in DataType.values() else f"type {proto.dtype}"


def shape_of(proto: TensorProto) -> tuple[int, ...]:
    """Raises InvalidRequest where it has none, a negative size, or more than 32 of them."""
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or len(shape) > _MAX_RANK or any(size < 0 for size in shape):
        raise InvalidRequest(
            f"A tensor has a shape of at most {_MAX_RANK} sizes, none of them negative; "
            f"{'an unknown rank' if proto.tensor_shape.unknown_rank else list(shape)} came."
        )
    return shape


def dtype_of(name: str) -> np.dtype[Any]:
    """numpy's for TensorFlow's name of a type; object for strings. Raises InvalidRequest where it is not known."""
    return _of_name(name).dtype


def reads_slowly(proto: TensorProto) -> bool:
    """Whether `to_array` takes so long over the typed values in `proto` that the event loop would feel it."""
    kind = _KINDS.get(dtype_name(proto))
    return kind is not None and len(getattr(proto, kind.field)) > _MANY_VALUES


def to_array(proto: TensorProto) -> NDArray[Any]:
    """The tensor in `proto`, strings as bytes in an array of objects.

    Raises InvalidRequest where it is of an unknown type, larger than MAX_TENSOR_BYTES, or has not as many values as
    its shape says; fewer typed values are right, where there is one: the last is meant for the rest.
    """
    kind, shape = _of_name(dtype_name(proto)), shape_of(proto)
    count = math.prod(shape)
    room = math.prod(size or 1 for size in shape)  # numpy minds a size beside one of 0 too
    if room * kind.dtype.itemsize > MAX_TENSOR_BYTES:
        raise InvalidRequest(
            f"A tensor has at most {MAX_TENSOR_BYTES} bytes; {dtype_name(proto)} of shape {list(shape)} came. Send "
            "its rows in several requests."
        )
    if proto.tensor_content and not kind.dtype.hasobject:
        if len(proto.tensor_content) != count * kind.dtype.itemsize:
            raise _miscounted(shape, f"{len(proto.tensor_content)} bytes of {kind.dtype}")
        if kind.dtype.kind == "b":  # other servers take any byte; numpy and TensorFlow count on 1 for what is true
            return (np.frombuffer(proto.tensor_content, np.uint8) != 0).reshape(shape)
        return np.frombuffer(proto.tensor_content, kind.dtype).reshape(shape)
    values = _typed_values(proto, kind)
    if len(values) > count or (count and not len(values)):
        raise _miscounted(shape, f"{len(values)} values in {kind.field}")
    if len(values) < count:
        values = np.concatenate([values, np.broadcast_to(values[-1:], count - len(values))])
    return values.reshape(shape)


def from_array(array: NDArray[Any]) -> TensorProto:
    """`array` as a tensor of typed values. Objects are bytes, or strings in UTF-8. Raises KeyError for a type that
    TensorFlow has not.
    """
    name = _NAMES[array.dtype]
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in array.shape])
    proto = TensorProto(dtype=DataType.Value(name), tensor_shape=shape)
    field = getattr(proto, _KINDS[name].field)
    if array.dtype.hasobject:
        field.extend(each if isinstance(each, bytes) else each.encode() for each in array.flat)
    else:
        field.extend(np.ascontiguousarray(array).reshape(-1).view(_KINDS[name].held).tolist())
    return proto


def _typed_values(proto: TensorProto, kind: _Kind) -> NDArray[Any]:
    """[values]. Raises InvalidRequest where one is out of the type's range."""
    field = getattr(proto, kind.field)
    if kind.dtype.hasobject:
        values = np.empty(len(field), object)
        values[:] = field
        return values
    try:
        if kind.dtype.kind in "iu" or kind.field == "half_val":
            wide = np.array(field, np.uint64 if kind.field == "uint64_val" else np.int64)
            bounds = np.iinfo(kind.held)
            if len(wide) and not bounds.min <= wide.min() <= wide.max() <= bounds.max:
                raise ValueError(f"values from {wide.min()} to {wide.max()}")
            held = wide.astype(kind.held)
        else:
            held = np.array(field, kind.held)
        return held.view(kind.dtype)  # fails where a complex number lacks a part
    except ValueError as error:
        raise InvalidRequest(
            f"Values in {kind.field} are of type {kind.dtype}; others came ({error}). Send them in range and whole."
        ) from error


def _of_name(name: str) -> _Kind:
    if name not in _KINDS:
        raise InvalidRequest(f"A tensor's type is one of {', '.join(_KINDS)}; {name} came. Cast it.")
    return _KINDS[name]


def _miscounted(shape: tuple[int, ...], came: str) -> InvalidRequest:
    return InvalidRequest(
        f"A tensor of shape {list(shape)} has {math.prod(shape)} values; {came} came. Send as many as its shape says."
    )
