"""Questions and replies as gRPC's messages of protos/open_inference.proto."""

from collections.abc import Iterator, Mapping

from protos import open_inference_pb2 as pb
from serving.aside import MANY_BYTES, MANY_ELEMENTS
from serving.doors.open_inference import tensors
from serving.doors.open_inference.datatypes import DATATYPES
from serving.doors.open_inference.question import (
    MOST_NAMED,
    Parameter,
    Question,
    Reply,
    check_counts,
    check_inputs,
    model_spec,
    wanted_output,
)
from serving.doors.open_inference.tensors import Tensor
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest


def reads_slowly(request: pb.ModelInferRequest | InvalidRequest) -> bool:
    """Whether `question_in` takes so long that the event loop would feel it: by what it reads one by one."""
    if isinstance(request, InvalidRequest) or len(request.inputs) + len(request.outputs) > 2 * MOST_NAMED:
        return False  # since it is refused before it is read
    given = zip(request.inputs, request.raw_input_contents, strict=False)
    strings = sum(len(raw) for each, raw in given if each.datatype == "BYTES")
    listed = sum(len(values) for each in request.inputs for _, values in each.contents.ListFields())
    others = sum(len(each.shape) + len(each.parameters) for each in request.inputs)
    others += sum(len(each.parameters) for each in request.outputs)
    return strings > MANY_BYTES or listed + others > MANY_ELEMENTS


def question_in(request: pb.ModelInferRequest | InvalidRequest) -> Question:
    """Raises InvalidRequest where `request` is none, which bodies.py may have found already."""
    if isinstance(request, InvalidRequest):
        raise request
    check_counts(len(request.inputs), len(request.outputs), len(request.parameters))
    check_inputs([each.name for each in request.inputs])
    return Question(
        model_spec(request.model_name, request.model_version),
        request.id,
        _parameters(request.parameters),
        tensors.all_of(_inputs(request)),
        [wanted_output(output.name, _parameters(output.parameters)) for output in request.outputs],
    )


def response_of(reply: Reply, raw: bool) -> pb.ModelInferResponse:
    """With its tensors `raw`, or listed where all of them can be. Raises InvalidRequest where more elements would be
    listed than are taken so.
    """
    raw = raw or any(DATATYPES[tensor.datatype].contents is None for tensor in reply.outputs)
    if not raw and (count := sum(tensor.data.size for tensor in reply.outputs)) > tensors.MOST_LISTED:
        raise InvalidRequest(
            f"At most {tensors.MOST_LISTED} elements of an answer are listed; {count} would be. Ask for fewer outputs, "
            "or send inputs raw to get them so."
        )
    response = pb.ModelInferResponse(model_name=reply.model_name, model_version=reply.model_version, id=reply.id)
    for tensor in reply.outputs:
        output = response.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.data.shape)
        if raw:
            response.raw_output_contents.append(tensors.to_raw(tensor.data))
        else:
            getattr(output.contents, _field(tensor.datatype)).extend(tensor.data.ravel().tolist())
    return response


def _inputs(request: pb.ModelInferRequest) -> Iterator[Tensor]:
    """All of them raw, or all listed."""
    given, raws = request.inputs, request.raw_input_contents
    if unknown := sorted({name for each in given for name in each.parameters} - {"binary_data_size"}):
        raise InvalidRequest(f"An input comes in the request itself, and has no parameters; {told(unknown)} came.")
    if not raws:
        listed = [getattr(each.contents, _field(each.datatype)) for each in given]
        tensors.check_listed(sum(map(len, listed)))
        for each, elements in zip(given, listed, strict=True):
            yield tensors.from_elements(each.name, each.datatype, each.shape, list(elements))
        return
    if len(raws) != len(given) or any(each.HasField("contents") for each in given):
        raise InvalidRequest(
            f"An input comes raw or in its contents, once; {len(raws)} came raw for {len(given)} inputs, or some both "
            "ways. Fill raw_input_contents with one element for each input, or none."
        )
    for each, raw in zip(given, raws, strict=True):
        yield tensors.from_raw(each.name, each.datatype, each.shape, raw)


def _field(datatype: str) -> str:
    """Of InferTensorContents. Raises InvalidRequest for elements that are not listed."""
    if datatype not in DATATYPES:
        return "bytes_contents"  # any: the tensor is refused for its datatype
    if (field := DATATYPES[datatype].contents) is None:
        raise InvalidRequest(f"Elements of {datatype} have no field that lists them. Send them in raw_input_contents.")
    return field


def _parameters(parameters: Mapping[str, pb.InferParameter]) -> dict[str, Parameter]:
    chosen = {name: (parameter, parameter.WhichOneof("parameter_choice")) for name, parameter in parameters.items()}
    return {name: getattr(parameter, choice) for name, (parameter, choice) in chosen.items() if choice}
