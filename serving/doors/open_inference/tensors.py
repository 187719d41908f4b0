"""Tensors of the Open Inference Protocol as numpy's arrays and back, within bounds. Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from serving.doors.open_inference.datatypes import DATATYPES, of_dtype
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest

MOST = 1024
"""Pictures or rows in a request about pictures."""
MOST_LISTED = 2**20
"""Samples that are listed one by one: each costs many times what it does raw."""
MOST_STRINGS = 2**16
"""Elements of BYTES in a request: some milliseconds."""

_LENGTH_BYTES = 4
_MOST_DIMENSIONS = 32  # numpy's
_MOST_ELEMENTS = 2**31  # of which no message has room for
_DIMENSIONS_OF_PICTURES = 4


class Tensor(NamedTuple):
    """A tensor under its name."""

    name: str
    data: NDArray
    """Of one of DATATYPES. Elements of BYTES are bytes, or strings, where JSON listed them."""

    @property
    def datatype(self) -> str:
        """As the protocol calls it."""
        return of_dtype(self.data.dtype)


def from_raw(name: str, datatype: str, shape: Sequence[int], raw: bytes) -> Tensor:
    """The tensor whose elements are `raw`: little-endian, in row-major order; of BYTES each behind its length, a
    uint32. Raises InvalidRequest where they are not as many as `shape` says, or it is out of bounds.
    """
    dtype, count = _checked(name, datatype, shape)
    if dtype.hasobject:
        return Tensor(name, _objects(_split(name, raw, count), shape))
    if len(raw) != count * dtype.itemsize:
        raise InvalidRequest(
            f"Tensor {told(name)}, {datatype} of shape {told(list(shape))}, has {count * dtype.itemsize} bytes; "
            f"{len(raw)} came. Send the samples in row-major order, without a header."
        )
    if dtype.kind == "b":  # other servers take any byte; numpy and TensorFlow count on 1 for what is true
        return Tensor(name, (np.frombuffer(raw, np.uint8) != 0).reshape(shape))
    return Tensor(name, np.frombuffer(raw, dtype).reshape(shape))


def from_elements(name: str, datatype: str, shape: Sequence[int], elements: Sequence) -> Tensor:
    """The tensor whose elements are listed: bytes or strings, numbers or truths, in row-major order. Raises
    InvalidRequest where they are not as many as `shape` says, or one or the shape is out of bounds.
    """
    dtype, count = _checked(name, datatype, shape)
    if len(elements) != count:
        raise InvalidRequest(
            f"Tensor {told(name)} of shape {told(list(shape))} has {count} elements; {len(elements)} came in the field "
            f"for {datatype}. Fill it, or send them raw."
        )
    if dtype.hasobject:
        return Tensor(name, _objects(elements, shape))
    check_listed(count)
    samples = _cast(elements, dtype)
    if samples is None:
        raise InvalidRequest(f"Samples of {datatype} are {_range(dtype)}; tensor {told(name)} has others.")
    return Tensor(name, samples.reshape(shape))


def check_listed(count: int) -> None:
    """Raises InvalidRequest where so many elements are too many to be listed."""
    if count > MOST_LISTED:
        raise InvalidRequest(
            f"At most {MOST_LISTED} samples are listed one by one; {count} came. Send them raw: in "
            "raw_input_contents, or over HTTP as binary data."
        )


def all_of(read: Iterable[Tensor]) -> list[Tensor]:
    """The tensors of a request, in order. Raises InvalidRequest once more elements of BYTES have been `read` than are
    taken, and reads no further.
    """
    tensors, strings = [], 0
    for tensor in read:
        strings += tensor.data.size if tensor.data.dtype.hasobject else 0
        _check_strings(strings)
        tensors.append(tensor)
    return tensors


def check_pictures(tensor: Tensor) -> None:
    """Raises InvalidRequest where it has more pictures or rows than are taken, none, or more dimensions than those."""
    shape = tensor.data.shape
    if not 1 <= len(shape) <= _DIMENSIONS_OF_PICTURES or min(shape) < 1 or shape[0] > MOST:
        raise InvalidRequest(
            f"A tensor of pictures has 1 to {_DIMENSIONS_OF_PICTURES} dimensions, none of them empty, the first for at "
            f"most {MOST} pictures; {told(tensor.name)} came with shape {told(list(shape))}. Send fewer a request."
        )
    if tensor.data.dtype.hasobject and tensor.data.size > MOST:
        raise InvalidRequest(
            f"A tensor of pictures has at most {MOST} elements of BYTES; {told(tensor.name)} came with "
            f"{tensor.data.size}."
        )


def to_raw(data: NDArray) -> bytes:
    """The elements of a tensor, as `from_raw` takes them."""
    if data.dtype.hasobject:
        return b"".join(part for each in data.flat for part in (len(each).to_bytes(_LENGTH_BYTES, "little"), each))
    return data.tobytes()


def _checked(name: str, datatype: str, shape: Sequence[int]) -> tuple[np.dtype, int]:
    """What its elements are, and how many."""
    if datatype not in DATATYPES:
        raise InvalidRequest(f"A tensor is of {', '.join(DATATYPES)}; {told(name)} came as {told(datatype)}.")
    if (
        len(shape) > _MOST_DIMENSIONS
        or min(shape, default=0) < 0
        or math.prod(size or 1 for size in shape) > _MOST_ELEMENTS  # numpy minds a size beside one of 0 too
    ):
        raise InvalidRequest(
            f"A tensor has at most {_MOST_DIMENSIONS} dimensions, none of them negative, and {_MOST_ELEMENTS} "
            f"elements; {told(name)} came with shape {told(list(shape))}. Send fewer a request."
        )
    dtype, count = DATATYPES[datatype].dtype, math.prod(shape)
    if dtype.hasobject:
        _check_strings(count)
    return dtype, count


def _check_strings(count: int) -> None:
    if count > MOST_STRINGS:
        raise InvalidRequest(
            f"A request has at most {MOST_STRINGS} elements of BYTES, over all of its inputs; {count} came. Send fewer "
            "at a time."
        )


def _cast(elements: Sequence, dtype: np.dtype) -> NDArray | None:
    """`elements` as samples of `dtype`; None where some are none, or out of its range."""
    samples = np.array(elements)
    if not samples.size:
        return samples.astype(dtype)
    if dtype.kind == "b":
        return samples if samples.dtype.kind == "b" else None
    if dtype.kind in "iu":
        return _whole(samples, elements, dtype)
    if samples.dtype.kind not in "iuf":
        return None
    with np.errstate(over="ignore"):
        cast = samples.astype(dtype)
    return None if np.any(np.isfinite(samples) & np.isinf(cast)) else cast


def _whole(samples: NDArray, elements: Sequence, dtype: np.dtype) -> NDArray | None:
    """See _cast. `samples` are `elements` as numpy reads them: of integers on both sides of 2^63 it makes floats."""
    if samples.dtype.kind not in "iu":
        if not all(type(each) is int for each in elements):
            return None
        samples = np.array(elements, object)
    bounds = np.iinfo(dtype)
    return samples.astype(dtype) if bounds.min <= samples.min() and samples.max() <= bounds.max else None


def _range(dtype: np.dtype) -> str:
    """What samples of `dtype` are."""
    if dtype.kind == "b":
        return "true or false"
    if dtype.kind in "iu":
        return f"whole numbers from {np.iinfo(dtype).min} to {np.iinfo(dtype).max}"
    return f"numbers of at most {ml_dtypes.finfo(dtype).max}"


def _split(name: str, raw: bytes, count: int) -> list[bytes]:
    """The `count` elements that `raw` holds, each behind its length."""
    elements, position = [], 0
    for _ in range(count):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(raw[position:start], "little")
        elements.append(raw[start:position])
    if position != len(raw):
        raise InvalidRequest(
            f"Elements of BYTES stand one behind the other, each behind its length, a little-endian uint32; {count} of "
            f"tensor {told(name)} would end at byte {position}, and {len(raw)} bytes came."
        )
    return elements


def _objects(elements: Sequence[bytes | str], shape: Sequence[int]) -> NDArray:
    array = np.empty(len(elements), object)
    array[:] = elements
    return array.reshape(shape)
