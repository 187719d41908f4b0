"""Who is asked, by TensorFlow Serving's ModelSpec; and what a version says of itself, in its messages."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import TypeVar

from protos.classification_pb2 import ModelSpec as OurSpec
from serving.callers import caller
from serving.doors.tf_serving.apis import DataType, SignatureDef, TensorInfo, TensorShapeProto, model_pb2
from serving.errors import InvalidRequest
from serving.models.engines.engine import SIGNATURE
from serving.models.loaded_version import LoadedVersion
from serving.models.repository import Repository
from serving.models.signatures import Signature, TensorSpec
from serving.pipeline.router import Router

Answered = TypeVar("Answered")


def ours(spec: model_pb2.ModelSpec) -> OurSpec:
    """The same model and version. Raises InvalidRequest where no model is named."""
    if not spec.name:
        raise InvalidRequest("A request has a model_spec with the name of a model; none came. Name one.")
    choice = spec.WhichOneof("version_choice")
    if choice == "version":
        return OurSpec(name=spec.name, version=spec.version.value)
    return OurSpec(name=spec.name, version_label=spec.version_label if choice else None)


def checked(repository: Repository, spec: OurSpec) -> OurSpec:
    """`spec`. Raises InvalidRequest for a label that was given to no version, the status that TensorFlow Serving has
    for it; and Forbidden, before anything is said of labels or members.
    """
    if spec.name:
        caller.get().check_may_ask(spec.name)
    label, model = spec.version_label, repository.models.get(spec.name)
    if label and model and label not in model.labels:
        raise InvalidRequest(
            f"A label has to be given to a version; of {spec.name!r}, {label!r} is not, {sorted(model.labels)} are. "
            "Ask for a version, or for none to get the newest."
        )
    return spec


def held_version(repository: Repository, spec: OurSpec) -> AbstractContextManager[LoadedVersion]:
    """The version that answers `spec`, kept loaded inside the block. Raises as `checked` does, NotServed, and
    InvalidRequest for an ensemble.
    """
    return repository.hold_version(checked(repository, spec))


async def of_version(
    router: Router,
    repository: Repository,
    spec: model_pb2.ModelSpec,
    key: str,
    deadline: float,
    ask: Callable[[LoadedVersion], Awaitable[Answered]],
) -> Answered:
    """What `ask(version)` gives of the version that answers `spec`, which may be one on trial where `spec` names none:
    by the routing `key`. It is kept loaded meanwhile. Raises as `held_version` does, and what `ask` raises.
    """

    async def held(spec: OurSpec) -> Answered:
        with held_version(repository, spec) as version:
            return await ask(version)

    return await router.answered(router.way(ours(spec), key), deadline, held)


def answering(servable: LoadedVersion, signature: str) -> model_pb2.ModelSpec:
    """Who answered, as responses say it."""
    spec = model_pb2.ModelSpec(name=servable.name, signature_name=signature)
    spec.version.value = servable.version
    return spec


def signature_name(spec: model_pb2.ModelSpec) -> str:
    """The signature that `spec` asks for."""
    return spec.signature_name or SIGNATURE


def signature_def(signature: Signature) -> SignatureDef:
    """What the SavedModel's file says of it."""
    return SignatureDef(
        inputs=_infos(signature.inputs), outputs=_infos(signature.outputs), method_name=signature.method
    )


def _infos(specs: Mapping[str, TensorSpec]) -> dict[str, TensorInfo]:
    return {
        name: TensorInfo(name=spec.tensor, dtype=DataType.Value(spec.dtype), tensor_shape=_shape(spec.shape))
        for name, spec in specs.items()
    }


def _shape(shape: tuple[int | None, ...] | None) -> TensorShapeProto:
    if shape is None:
        return TensorShapeProto(unknown_rank=True)
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=-1 if size is None else size) for size in shape])
