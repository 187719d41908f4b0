"""Tensors in JSON, by rows or by columns, as https://www.tensorflow.org/tfx/serving/api_rest says.

Numbers may be NaN, Infinity and -Infinity, which JSON has not. Bytes are {"b64": "..."}.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.doors.tf_serving.tensors import dtype_of
from serving.errors import InvalidRequest
from serving.models.signatures import Signature

Json = Any

INSTANCES, INPUTS = "instances", "inputs"
_OF_BYTES = "_bytes"
"""Outputs whose names end so are bytes, other strings are text."""

_KINDS = {"b": "b", "i": "iu", "u": "iu", "f": "iuf"}
"""For numpy's kind of a type, the kinds of JSON values that it takes."""


def parse(body: bytes) -> dict[str, Json]:
    """The object in `body`. Raises InvalidRequest where there is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"A request's body is JSON; {len(body)} bytes that are not came ({error}).") from None
    if not isinstance(document, dict):
        raise InvalidRequest(f"A request's body is a JSON object; a {type(document).__name__} came.")
    return document


def inputs_of(document: Mapping[str, Json], signature: Signature) -> dict[str, NDArray[Any]]:
    """The inputs of `signature` that stand in `document`, by rows or by columns. Raises InvalidRequest."""
    if (INSTANCES in document) == (INPUTS in document):
        raise InvalidRequest(
            f"A request has {INSTANCES!r}, a list of rows, or {INPUTS!r}, whole tensors; the keys {sorted(document)} "
            "came. Send one of both."
        )
    by_name = _columns(document[INSTANCES]) if INSTANCES in document else document[INPUTS]
    if not isinstance(by_name, dict) or _is_bytes(by_name):
        if len(signature.inputs) != 1:
            raise InvalidRequest(f"Signature {signature.name!r} takes {sorted(signature.inputs)}; name each tensor.")
        by_name = {next(iter(signature.inputs)): by_name}
    signature.check_names(by_name)
    arrays = {name: _array(by_name[name], name, spec.dtype) for name, spec in signature.inputs.items()}
    for name, array in arrays.items():
        signature.check_input(name, signature.inputs[name].dtype, array.shape)
    return arrays


def rows_of(outputs: Mapping[str, NDArray[Any]]) -> list[Json]:
    """A value a row, or, of several outputs, an object. Raises InvalidRequest where they have not as many rows."""
    lengths = {name: array.shape[:1] for name, array in outputs.items()}
    if len(set(lengths.values())) != 1 or () in lengths.values():
        raise InvalidRequest(
            f"Outputs by rows have as many rows, each; these have {lengths}. Send {INPUTS!r} to get them by columns."
        )
    columns = {name: _values(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def columns_of(outputs: Mapping[str, NDArray[Any]]) -> Json:
    """The only output, or an object of all of them."""
    columns = {name: _values(name, array) for name, array in outputs.items()}
    return next(iter(columns.values())) if len(columns) == 1 else columns


def bytes_of(value: Json) -> bytes:
    """What a string, or {"b64": ...}, stands for. Raises InvalidRequest for all else."""
    if isinstance(value, str):
        return value.encode()
    if not _is_bytes(value):
        raise InvalidRequest(f'Text is a JSON string, bytes are {{"b64": "..."}}; {_brief(value)} came.')
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(f"Bytes are in base64; what came is not ({error}).") from None


def _is_bytes(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _columns(rows: Json) -> Json:
    """Rows as a list, or, where they name their tensors, an object of lists."""
    if not isinstance(rows, list) or not rows:
        raise InvalidRequest(f"{INSTANCES!r} is a list of one row at least; {_brief(rows)} came.")
    if not isinstance(rows[0], dict) or _is_bytes(rows[0]):
        return rows
    if any(not isinstance(row, dict) or row.keys() != rows[0].keys() for row in rows):
        raise InvalidRequest(f"Every row names the same tensors, {sorted(rows[0])}; some name others.")
    return {name: [row[name] for row in rows] for name in rows[0]}


def _array(value: Json, name: str, dtype_name: str) -> NDArray[Any]:
    dtype = dtype_of(dtype_name)
    if dtype.hasobject:
        return _strings(value)
    try:
        found = _numbers(value, dtype)
    except ValueError:
        raise InvalidRequest(
            f"A tensor's lists are as long as one another at each level; {name!r}'s are not."
        ) from None
    if found.size == 0:
        return np.empty(found.shape, dtype)
    try:
        if found.dtype.kind not in _KINDS.get(dtype.kind, ""):
            raise OverflowError(f"{found.dtype} is no {dtype_name}")
        if dtype.kind in "iu" and not np.iinfo(dtype).min <= found.min() <= found.max() <= np.iinfo(dtype).max:
            raise OverflowError(f"from {found.min()} to {found.max()}")
        with np.errstate(over="raise"):
            return found.astype(dtype)
    except (OverflowError, FloatingPointError) as error:
        raise InvalidRequest(
            f"{name!r} holds {dtype_name}; JSON values of another type or range came ({error})."
        ) from None


def _numbers(value: Json, dtype: np.dtype) -> NDArray[Any]:
    """As numpy reads them, but for numbers on both sides of 2^63, of which it would make floats. Raises ValueError."""
    found = np.asarray(value)
    if dtype.kind == "u" and found.dtype.kind == "f":
        exact = np.asarray(value, object)
        if all(type(each) is int and 0 <= each < 2**64 for each in exact.flat):
            return exact.astype(np.uint64)
    return found


def _strings(value: Json) -> NDArray[Any]:
    shape, flat = [], [value]
    while isinstance(flat[0], list):
        size = len(flat[0])
        if any(not isinstance(each, list) or len(each) != size for each in flat):
            raise InvalidRequest("A tensor's lists are as long as one another at each level; these are not.")
        shape.append(size)
        flat = [item for each in flat for item in each]
        if not flat:
            break
    strings = np.empty(len(flat), object)
    strings[:] = [bytes_of(each) for each in flat]
    return strings.reshape(shape)


def _values(name: str, array: NDArray[Any]) -> Json:
    """Nested lists of JSON values. A float32 is as short as tells it from its neighbours."""
    if array.dtype.hasobject:
        texts = np.empty(array.shape, object)
        for place, each in np.ndenumerate(array):
            texts[place] = _text(name, each)
        return texts.tolist()
    if array.dtype.kind == "f" and array.dtype != np.float64:
        array = array.astype(np.str_).astype(np.float64)
    return array.tolist()


def _text(name: str, value: bytes) -> Json:
    if name.endswith(_OF_BYTES):
        return {"b64": base64.b64encode(value).decode()}
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(
            f"Output {name!r} holds bytes that are no text, and JSON takes bytes of outputs named ..{_OF_BYTES} alone. "
            "Ask over gRPC."
        ) from None


def _brief(value: Json) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:80]}..."
