"""Questions and replies as HTTP has them: JSON, behind which tensors may stand in binary, as Triton extends it."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, StrictStr, ValidationError

from protos.classification_pb2 import ModelSpec
from serving.doors.open_inference import tensors
from serving.doors.open_inference.json_tensors import JSON_LENGTH, Input, Parameters, listed, tensors_of
from serving.doors.open_inference.question import (
    MOST_NAMED,
    Parameter,
    Question,
    Reply,
    check_inputs,
    wanted_output,
)
from serving.doors.open_inference.tensors import Tensor
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest


class _Output(BaseModel):
    name: StrictStr
    parameters: Parameters = {}


class _Request(BaseModel):
    id: StrictStr = ""
    parameters: Parameters = {}
    inputs: Annotated[list[Input], Field(max_length=MOST_NAMED)]
    outputs: Annotated[list[_Output], Field(max_length=MOST_NAMED)] = []


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
    check_inputs([each.name for each in request.inputs])
    parameters: dict[str, Parameter] = dict(request.parameters)
    by_default = _is_binary(parameters.pop("binary_data_output", False))
    binary = {
        output.name: _is_binary(output.parameters["binary_data"])
        for output in request.outputs
        if "binary_data" in output.parameters
    }
    outputs = [wanted_output(output.name, output.parameters) for output in request.outputs]
    question = Question(model, request.id, parameters, tensors_of(request.inputs, body[length:]), outputs)
    return question, Binary(by_default, binary)


def body_of(reply: Reply, binary: Binary) -> tuple[bytes, int | None]:
    """The answer, and how much of it is JSON; None for all. Raises InvalidRequest where more elements would be listed
    than are taken so.
    """
    count = sum(tensor.data.size for tensor in reply.outputs if not binary.is_for(tensor.name))
    if count > tensors.MOST_LISTED:
        raise InvalidRequest(
            f"At most {tensors.MOST_LISTED} elements of an answer are listed in JSON; {count} would be. Ask for fewer "
            "outputs, for the best classes, or for binary data."
        )
    raws = {tensor.name: tensors.to_raw(tensor.data) for tensor in reply.outputs if binary.is_for(tensor.name)}
    named = {"model_name": reply.model_name, "model_version": reply.model_version}
    outputs = ", ".join(_described(tensor, raws.get(tensor.name)) for tensor in reply.outputs)
    text = _with({**named, **({"id": reply.id} if reply.id else {})}, "outputs", f"[{outputs}]").encode()
    return b"".join([text, *raws.values()]), len(text) if raws else None


def _described(tensor: Tensor, raw: bytes | None) -> str:
    described = {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.data.shape}
    if raw is not None:
        return json.dumps({**described, "parameters": {"binary_data_size": len(raw)}})
    return _with(described, "data", listed(tensor))


def _with(document: Mapping[str, Any], name: str, value: str) -> str:
    """`document`, which is not empty, with `value`, which is JSON already, under another name."""
    return f'{json.dumps(document)[:-1]}, "{name}": {value}}}'


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


def _is_binary(value: Parameter) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidRequest(f"binary_data and binary_data_output are true or false; {told(value)} came.")
