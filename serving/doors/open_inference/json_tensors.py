"""Tensors as HTTP has them: listed in JSON, or in binary behind it."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from serving.aside import MANY_ELEMENTS
from serving.doors.open_inference import tensors
from serving.doors.open_inference.datatypes import DATATYPES
from serving.doors.open_inference.question import MOST_NAMED
from serving.doors.open_inference.tensors import Tensor
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest

JSON_LENGTH = "Inference-Header-Content-Length"
"""The header that says how many bytes of a body are JSON, where not all of them are."""

Parameters = Annotated[dict[str, StrictBool | StrictInt | StrictFloat | StrictStr], Field(max_length=MOST_NAMED)]

_KINDS: dict[str, tuple[set[type], str]] = {
    "BOOL": ({bool}, "true or false"),
    "BYTES": ({str}, "strings, of files in base64"),
}
"""What JSON has for elements that are no numbers."""


class Input(BaseModel):
    name: StrictStr
    datatype: StrictStr
    shape: Annotated[list[StrictInt], Field(max_length=MOST_NAMED)]
    parameters: Parameters = {}
    data: list[Any] | None = None


def tensors_of(inputs: Sequence[Input], rest: bytes) -> list[Tensor]:
    """Each with its part of what stands behind the JSON, in order, or with what is listed in it."""
    sizes = [_binary_size(each) for each in inputs]
    if sum(size or 0 for size in sizes) != len(rest):
        raise InvalidRequest(
            f"Inputs take all that stands behind the JSON, {len(rest)} bytes "
            f"{'that nobody names' if not any(sizes) else 'in all'}; their binary_data_size is {told(sizes)}. Set it, "
            f"and {JSON_LENGTH}, to what is sent."
        )
    return tensors.all_of(_read(inputs, sizes, rest))


def _read(inputs: Sequence[Input], sizes: Sequence[int | None], rest: bytes) -> Iterator[Tensor]:
    position = 0
    for each, size in zip(inputs, sizes, strict=True):
        if size is None:
            yield _of_elements(each)
        else:
            raw = rest[position : position + size]
            yield tensors.from_raw(each.name, each.datatype, each.shape, raw)
            position += size


def _binary_size(given: Input) -> int | None:
    """How many of the bytes behind the JSON are its; None where its elements are listed."""
    if unknown := sorted(set(given.parameters) - {"binary_data_size"}):
        raise InvalidRequest(f"An input has the parameter binary_data_size and no other; {told(unknown)} came.")
    size = given.parameters.get("binary_data_size")
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise InvalidRequest(f"binary_data_size is a number of bytes; {told(size)} came.")
    return size


def _of_elements(given: Input) -> Tensor:
    if given.data is None:
        raise InvalidRequest(
            f"An input has data, or binary_data_size and its bytes behind the JSON; {told(given.name)} has neither."
        )
    return tensors.from_elements(given.name, given.datatype, given.shape, _elements(given.datatype, _flat(given.data)))


def _flat(data: list[Any]) -> list[Any]:
    """Nested as its shape, or flat already."""
    while data and all(isinstance(each, list) for each in data):
        data = list(chain.from_iterable(data))
    return data


def _elements(datatype: str, listed: list[Any]) -> list[Any]:
    """`listed`. Raises InvalidRequest where they are of a kind that no tensor of `datatype` has."""
    kinds, called = _KINDS.get(datatype, ({int, float}, "numbers"))
    if not set(map(type, listed)) <= kinds:
        raise InvalidRequest(
            f"Samples are {called}, listed flat or nested as their shape is; others came for {told(datatype)}."
        )
    return listed


def listed(tensor: Tensor) -> str:
    """Its elements as a list in JSON. Raises InvalidRequest where they are bytes that are no text."""
    flat = tensor.data.ravel()
    # In pieces, since json holds up all threads for as long as it writes.
    pieces = (flat[start : start + MANY_ELEMENTS] for start in range(0, flat.size, MANY_ELEMENTS))
    try:
        return f"[{', '.join(json.dumps(_values(piece))[1:-1] for piece in pieces)}]"
    except UnicodeDecodeError:
        raise InvalidRequest(
            f"Bytes are listed in JSON where they are text in UTF-8; those of {tensor.name!r} are not. Ask for binary "
            "data."
        ) from None


def _values(flat: NDArray[Any]) -> list[Any]:
    """Raises UnicodeDecodeError for bytes that are no text."""
    if flat.dtype.hasobject:
        return [each.decode() for each in flat.tolist()]
    python_has_none = flat.dtype == DATATYPES["BF16"].dtype
    return (flat.astype(np.float32) if python_has_none else flat).tolist()
