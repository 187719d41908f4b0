"""Questions and replies as HTTP has them: JSON, behind which tensors may stand in binary, as Triton extends it."""

import base64
import binascii
import json
from collections.abc import Mapping
from itertools import chain
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError

from protos.classification_pb2 import ModelSpec
from serving.doors.open_inference import tensors
from serving.doors.open_inference.question import (
    Parameter,
    Question,
    Reply,
    the_only_input,
    wanted_output,
)
from serving.doors.open_inference.tensors import Tensor
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest

JSON_LENGTH = "Inference-Header-Content-Length"
"""The header that says how many bytes of a body are JSON, where not all of them are."""

_MOST = 64
"""Parameters, inputs and outputs; no request of any use has as many."""

_Parameters = Annotated[dict[str, StrictBool | StrictInt | StrictFloat | StrictStr], Field(max_length=_MOST)]


class _Input(BaseModel):
    name: StrictStr
    datatype: StrictStr
    shape: Annotated[list[StrictInt], Field(max_length=_MOST)]
    parameters: _Parameters = {}
    data: list[Any] | None = None


class _Output(BaseModel):
    name: StrictStr
    parameters: _Parameters = {}


class _Request(BaseModel):
    id: StrictStr = ""
    parameters: _Parameters = {}
    inputs: Annotated[list[_Input], Field(max_length=_MOST)]
    outputs: Annotated[list[_Output], Field(max_length=_MOST)] = []


class Binary(NamedTuple):
    """Which tensors of the answer come behind its JSON."""

    by_default: bool
    of_outputs: Mapping[str, bool]

    def is_for(self, name: str) -> bool:
        return self.of_outputs.get(name, self.by_default)


def question_in(model: ModelSpec, body: bytes, json_length: str | None) -> tuple[Question, Binary]:
    """What `body` asks of `model`; `json_length` is the header's. Raises InvalidRequest where it is no question."""
    length = _length(json_length, len(body))
    request = _request(body[:length])
    the_only_input(request.inputs)
    parameters: dict[str, Parameter] = dict(request.parameters)
    by_default = _is_binary(parameters.pop("binary_data_output", False))
    binary = {
        output.name: _is_binary(output.parameters["binary_data"])
        for output in request.outputs
        if "binary_data" in output.parameters
    }
    outputs = [wanted_output(output.name, output.parameters) for output in request.outputs]
    question = Question(model, request.id, parameters, _tensor(request.inputs[0], body[length:]), outputs)
    return question, Binary(by_default, binary)


def body_of(reply: Reply, binary: Binary) -> tuple[bytes, int | None]:
    """The answer, and how much of it is JSON; None for all. Raises InvalidRequest where more elements would be listed
    than are taken so.
    """
    listed = sum(tensor.data.size for tensor in reply.outputs if not binary.is_for(tensor.name))
    if listed > tensors.MOST_LISTED:
        raise InvalidRequest(
            f"At most {tensors.MOST_LISTED} elements of an answer are listed in JSON; {listed} would be. Ask for fewer "
            "outputs, for the best classes, or for binary data."
        )
    raws = {tensor.name: tensors.to_raw(tensor.data) for tensor in reply.outputs if binary.is_for(tensor.name)}
    text = json.dumps(
        {
            "model_name": reply.model_name,
            "model_version": reply.model_version,
            **({"id": reply.id} if reply.id else {}),
            "outputs": [_described(tensor, raws.get(tensor.name)) for tensor in reply.outputs],
        }
    ).encode()
    return b"".join([text, *raws.values()]), len(text) if raws else None


def _described(tensor: Tensor, raw: bytes | None) -> dict[str, Any]:
    described = {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.data.shape}
    if raw is not None:
        return {**described, "parameters": {"binary_data_size": len(raw)}}
    elements = tensor.data.ravel().tolist()
    return {**described, "data": [each.decode() for each in elements] if tensor.datatype == "BYTES" else elements}


def _length(given: str | None, whole: int) -> int:
    if given is None:
        return whole
    if not (given.isascii() and given.isdigit()) or int(given[:19]) > whole:
        raise InvalidRequest(f"{JSON_LENGTH} is how many of a body's {whole} bytes are JSON; {told(given)} came.")
    return int(given)


def _request(text: bytes) -> _Request:
    if (commas := text.count(b",")) > 2 * tensors.MOST_LISTED:  # before it is parsed, which holds up everybody
        raise InvalidRequest(
            f"At most {tensors.MOST_LISTED} samples are listed in JSON; about {commas} came. Send them as binary data."
        )
    try:
        return _Request.model_validate_json(text)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False, include_context=False)[:3]
        )
        raise InvalidRequest(
            f"A request is an object of the Open Inference Protocol in JSON; what came is not ({wrong[:500]})."
        ) from None


def _tensor(given: _Input, rest: bytes) -> Tensor:
    """With what stands behind the JSON, or with what is listed in it."""
    named = given.name, given.datatype, given.shape
    if unknown := sorted(set(given.parameters) - {"binary_data_size"}):
        raise InvalidRequest(f"An input has the parameter binary_data_size and no other; {told(unknown)} came.")
    if "binary_data_size" in given.parameters:
        if given.parameters["binary_data_size"] != len(rest):
            raise InvalidRequest(
                f"The only input takes all that stands behind the JSON, {len(rest)} bytes; its binary_data_size is "
                f"{told(given.parameters['binary_data_size'])}. Set it, and {JSON_LENGTH}, to what is sent."
            )
        return tensors.from_raw(*named, rest)
    if rest or given.data is None:
        raise InvalidRequest(
            f"An input has data, or binary_data_size and its bytes behind the JSON; {told(given.name)} has "
            f"{'bytes that nobody names' if rest else 'neither'}."
        )
    listed = _flat(given.data)
    return tensors.from_elements(*named, _files(listed) if given.datatype == "BYTES" else _numbers(listed))


def _flat(data: list[Any]) -> list[Any]:
    """Nested as its shape, or flat already."""
    while data and all(isinstance(each, list) for each in data):
        data = list(chain.from_iterable(data))
    return data


def _numbers(listed: list[Any]) -> list[Any]:
    if not set(map(type, listed)) <= {int, float}:
        raise InvalidRequest("Samples are numbers, listed flat or nested as their shape is; others came.")
    return listed


def _files(listed: list[Any]) -> list[bytes]:
    try:
        return [base64.b64decode(text, validate=True) for text in listed]
    except (binascii.Error, TypeError, ValueError):
        raise InvalidRequest(
            "Elements of BYTES are base64 where JSON lists them; others came. Encode them, or send them as binary data."
        ) from None


def _is_binary(value: Parameter) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidRequest(f"binary_data and binary_data_output are true or false; {told(value)} came.")
