"""What the Open Inference Protocol tells of a model's tensors: its metadata, and its configuration as Triton has it."""

from collections.abc import Iterator, Mapping

from protos import open_inference_pb2 as pb
from serving.doors.open_inference.datatypes import DATATYPES, of_tensorflow
from serving.doors.open_inference.models import versions_of
from serving.doors.open_inference.outputs import LABEL, LOGITS, PROBABILITIES
from serving.doors.open_inference.question import model_spec
from serving.doors.open_inference.tensors import MOST
from serving.models.engines.engine import SIGNATURE
from serving.models.ensemble import Ensemble
from serving.models.loaded_version import LoadedVersion
from serving.models.plain import PlainVersion
from serving.models.repository import Repository
from serving.models.signatures import Signature, TensorSpec, find

ENCODED, ROWS = "image", "pictures"
"""The inputs of a model with a card: files of pictures, and rows that are cut already, by the name that the SavedModel
has for them.
"""

_PLATFORMS = {True: "tencrop_ensemble", False: "tensorflow_savedmodel"}
"""By whether networks vote together."""

_Tensor = pb.ModelMetadataResponse.TensorMetadata


def metadata(name: str, version: str, repository: Repository) -> pb.ModelMetadataResponse:
    """Of a version without a card, those of its default signature. Raises NotServed, InvalidRequest where a version of
    an ensemble is asked for or a tensor is of a type that the protocol has not, and NoSuchSignature.
    """
    spec = model_spec(name, version)
    found = repository.find_any(spec)
    if isinstance(found, PlainVersion):
        signature = default_signature(found)
        inputs, outputs = _of_specs(signature.inputs), _of_specs(signature.outputs)
    else:
        inputs, outputs = _of_pictures(repository.find(spec))
    return pb.ModelMetadataResponse(
        name=found.name,
        versions=filter(None, versions_of(found.name, repository)),
        platform=_PLATFORMS[isinstance(found, Ensemble)],
        inputs=inputs,
        outputs=outputs,
    )


def config(name: str, version: str, repository: Repository) -> pb.ModelConfig:
    """The same as Triton has it: without the batch's dimension where there is one, and a scalar has one of 1. Raises
    as `metadata` does.
    """
    described = metadata(name, version, repository)
    found = repository.find_any(model_spec(name, version))
    plain = isinstance(found, PlainVersion)
    batched = not isinstance(found, PlainVersion) or has_batches(default_signature(found))
    return pb.ModelConfig(
        name=described.name,
        platform=described.platform,
        backend="tencrop",
        max_batch_size=MOST if batched else 0,
        input=[
            pb.ModelInput(name=each.name, data_type=_type(each), dims=_dims(each, batched), optional=not plain)
            for each in described.inputs
        ],
        output=[
            pb.ModelOutput(name=each.name, data_type=_type(each), dims=_dims(each, batched))
            for each in described.outputs
        ],
        dynamic_batching=None if plain else pb.ModelDynamicBatching(),
        model_transaction_policy=pb.ModelTransactionPolicy(decoupled=False),
    )


def default_signature(version: LoadedVersion) -> Signature:
    """The one that this protocol asks. Raises NoSuchSignature."""
    return find(version.signature_calls.signatures, SIGNATURE)


def has_batches(signature: Signature) -> bool:
    """Whether the first dimension of its tensors is taken for that of a batch, as Triton does it: all have one, and it
    is open.
    """
    specs = (*signature.inputs.values(), *signature.outputs.values())
    return bool(signature.inputs) and all(spec.shape and spec.shape[0] is None for spec in specs)


def shape_of(spec: TensorSpec) -> list[int]:
    """-1 for a size that is open; of a shape of which nothing is known there is that alone."""
    return [-1] if spec.shape is None else [-1 if size is None else size for size in spec.shape]


def _of_specs(specs: Mapping[str, TensorSpec]) -> list[_Tensor]:
    return [
        _Tensor(name=name, datatype=of_tensorflow(spec.dtype), shape=shape_of(spec)) for name, spec in specs.items()
    ]


def _of_pictures(ensemble: Ensemble) -> tuple[list[_Tensor], list[_Tensor]]:
    """Inputs and outputs."""
    classes = len(ensemble.labels)
    # A file a row: beside the batch's dimension Triton's tools ask for the one that the configuration has.
    inputs = [_Tensor(name=ENCODED, datatype="BYTES", shape=[-1, 1]), *_rows(ensemble)]
    outputs = [
        _Tensor(name=LOGITS, datatype="FP32", shape=[-1, classes]),
        _Tensor(name=PROBABILITIES, datatype="FP32", shape=[-1, classes]),
        _Tensor(name=LABEL, datatype="BYTES", shape=[-1]),
    ]
    return inputs, outputs


def _rows(ensemble: Ensemble) -> Iterator[_Tensor]:
    """None where members take rows of different shapes."""
    shapes = {(card.height, card.width, card.channels) for card in (m.servable.card.input for m in ensemble.members)}
    if len(shapes) == 1:
        yield _Tensor(name=ROWS, datatype="UINT8", shape=[-1, *shapes.pop()])


def _type(tensor: _Tensor) -> str:
    """protobuf takes a value of an enumeration by its name."""
    return DATATYPES[tensor.datatype].triton


def _dims(tensor: _Tensor, batched: bool) -> list[int]:
    return list(tensor.shape[1:] if batched else tensor.shape) or [1]
