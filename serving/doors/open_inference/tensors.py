"""Tensors of the Open Inference Protocol as numpy's arrays and back, within bounds. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest

MOST = 1024
"""Pictures or rows in a request."""
MOST_LISTED = 2**20
"""Samples that are listed one by one: each costs many times what it does raw."""

_DTYPES: dict[str, np.dtype] = {"UINT8": np.dtype("u1"), "FP32": np.dtype("<f4"), "BYTES": np.dtype("O")}
_LENGTH_BYTES = 4
_MOST_DIMENSIONS = 4


class Tensor(NamedTuple):
    """A tensor under its name."""

    name: str
    data: NDArray
    """uint8, float32, or objects, each of bytes."""

    @property
    def datatype(self) -> str:
        """As the protocol calls it."""
        return next(datatype for datatype, dtype in _DTYPES.items() if dtype == self.data.dtype)


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
    return Tensor(name, np.frombuffer(raw, dtype).reshape(shape))


def from_elements(name: str, datatype: str, shape: Sequence[int], elements: Sequence) -> Tensor:
    """The tensor whose elements are listed: bytes, or numbers, in row-major order. Raises InvalidRequest where they
    are not as many as `shape` says, or one or the shape is out of bounds.
    """
    dtype, count = _checked(name, datatype, shape)
    if len(elements) != count:
        raise InvalidRequest(
            f"Tensor {told(name)} of shape {told(list(shape))} has {count} elements; {len(elements)} came in the field "
            f"for {datatype}. Fill it, or send them raw."
        )
    if dtype.hasobject:
        return Tensor(name, _objects(elements, shape))
    if count > MOST_LISTED:
        raise InvalidRequest(
            f"At most {MOST_LISTED} samples are listed one by one; tensor {told(name)} has {count}. Send them raw: in "
            "raw_input_contents, or over HTTP as binary data."
        )
    samples = np.array(elements)
    if dtype.kind == "u" and (samples.dtype.kind not in "iu" or samples.min() < 0 or samples.max() > 255):
        raise InvalidRequest(f"Samples of UINT8 are whole numbers from 0 to 255; tensor {told(name)} has others.")
    if samples.dtype.kind not in "iuf":
        raise InvalidRequest(f"Samples of {datatype} are numbers; tensor {told(name)} has others.")
    return Tensor(name, samples.astype(dtype).reshape(shape))


def to_raw(data: NDArray) -> bytes:
    """The elements of a tensor, as `from_raw` takes them."""
    if data.dtype.hasobject:
        return b"".join(part for each in data.flat for part in (len(each).to_bytes(_LENGTH_BYTES, "little"), each))
    return data.tobytes()


def _checked(name: str, datatype: str, shape: Sequence[int]) -> tuple[np.dtype, int]:
    """What its elements are, and how many."""
    if datatype not in _DTYPES:
        raise InvalidRequest(f"A tensor is of {', '.join(_DTYPES)}; {told(name)} came as {told(datatype)}.")
    if not 1 <= len(shape) <= _MOST_DIMENSIONS or min(shape) < 1 or shape[0] > MOST:
        raise InvalidRequest(
            f"A tensor has 1 to {_MOST_DIMENSIONS} dimensions, none of them empty, the first for at most {MOST} "
            f"pictures; {told(name)} came with shape {told(list(shape))}. Send fewer pictures a request."
        )
    dtype, count = _DTYPES[datatype], math.prod(shape)
    if dtype.hasobject and count > MOST:
        raise InvalidRequest(f"A tensor of BYTES has at most {MOST} elements; {told(name)} came with {count}.")
    return dtype, count


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


def _objects(elements: Sequence[bytes], shape: Sequence[int]) -> NDArray:
    array = np.empty(len(elements), object)
    array[:] = elements
    return array.reshape(shape)
