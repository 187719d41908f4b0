"""Questions and replies as gRPC's messages of protos/open_inference.proto."""

from collections.abc import Mapping

from protos import open_inference_pb2 as pb
from serving.doors.open_inference import tensors
from serving.doors.open_inference.question import (
    Parameter,
    Question,
    Reply,
    model_spec,
    the_only_input,
    wanted_output,
)
from serving.doors.open_inference.tensors import Tensor
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest

_CONTENTS = {"UINT8": "uint_contents", "FP32": "fp32_contents", "BYTES": "bytes_contents"}


def question_in(request: pb.ModelInferRequest | InvalidRequest) -> Question:
    """Raises InvalidRequest where `request` is none, which bodies.py may have found already."""
    if isinstance(request, InvalidRequest):
        raise request
    the_only_input(request.inputs)
    return Question(
        model_spec(request.model_name, request.model_version),
        request.id,
        _parameters(request.parameters),
        _input(request),
        [wanted_output(output.name, _parameters(output.parameters)) for output in request.outputs],
    )


def response_of(reply: Reply, raw: bool) -> pb.ModelInferResponse:
    """With its tensors `raw`, or listed."""
    response = pb.ModelInferResponse(model_name=reply.model_name, model_version=reply.model_version, id=reply.id)
    for tensor in reply.outputs:
        output = response.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.data.shape)
        if raw:
            response.raw_output_contents.append(tensors.to_raw(tensor.data))
        else:
            getattr(output.contents, _CONTENTS[tensor.datatype]).extend(tensor.data.ravel().tolist())
    return response


def _input(request: pb.ModelInferRequest) -> Tensor:
    (given,) = request.inputs
    named = given.name, given.datatype, given.shape
    if unknown := sorted(set(given.parameters) - {"binary_data_size"}):
        raise InvalidRequest(f"An input comes in the request itself, and has no parameters; {told(unknown)} came.")
    if not request.raw_input_contents:
        return tensors.from_elements(*named, getattr(given.contents, _CONTENTS.get(given.datatype, "bytes_contents")))
    if len(request.raw_input_contents) > 1 or given.HasField("contents"):
        raise InvalidRequest(
            "An input comes raw or in its contents, once; it came more often. Fill raw_input_contents with one element "
            "for each input, or none."
        )
    return tensors.from_raw(*named, request.raw_input_contents[0])


def _parameters(parameters: Mapping[str, pb.InferParameter]) -> dict[str, Parameter]:
    chosen = {name: (parameter, parameter.WhichOneof("parameter_choice")) for name, parameter in parameters.items()}
    return {name: getattr(parameter, choice) for name, (parameter, choice) in chosen.items() if choice}
