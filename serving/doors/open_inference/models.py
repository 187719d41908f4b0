"""What the Open Inference Protocol tells of models: their tensors, configuration, readiness and versions."""

from collections.abc import Iterator
from importlib.metadata import version as installed

from protos import open_inference_pb2 as pb
from serving.callers import caller
from serving.doors.open_inference.outputs import LABEL, LOGITS, PROBABILITIES
from serving.doors.open_inference.question import model_spec
from serving.doors.open_inference.tensors import MOST
from serving.errors import Forbidden
from serving.models.ensemble import Ensemble
from serving.models.lifecycle.states import State
from serving.models.repository import Repository

ENCODED, ROWS = "image", "pictures"
"""The inputs: files of pictures, and rows that are cut already, by the name that the SavedModel has for them."""

PLATFORMS = {True: "tencrop_ensemble", False: "tensorflow_savedmodel"}
"""By whether networks vote together."""

_TYPES = {"UINT8": pb.TYPE_UINT8, "FP32": pb.TYPE_FP32, "BYTES": pb.TYPE_STRING}


_STATES = {
    State.START: "LOADING",
    State.LOADING: "LOADING",
    State.AVAILABLE: "READY",
    State.UNLOADING: "UNLOADING",
    State.END: "UNAVAILABLE",
}
"""As Triton calls them."""

EXTENSIONS = (
    "binary_tensor_data",
    "classification",
    "model_configuration",
    "model_repository",
    "schedule_policy",
    "statistics",
)


def server() -> pb.ServerMetadataResponse:
    """Name, version and extensions."""
    return pb.ServerMetadataResponse(name="tencrop", version=installed("tencrop"), extensions=EXTENSIONS)


def version_of(ensemble: Ensemble, repository: Repository) -> str:
    """Empty of an ensemble, which has none of its own."""
    return "" if ensemble.name in repository.ensembles else str(ensemble.members[0].servable.version)


def versions_of(name: str, repository: Repository) -> list[str]:
    """Those that are ready, the oldest first; of an ensemble the empty one."""
    return [""] if name in repository.ensembles else [str(each) for each in sorted(repository.models[name].servables)]


def metadata(name: str, version: str, repository: Repository) -> pb.ModelMetadataResponse:
    """Raises NotServed, and InvalidRequest where a version of an ensemble is asked for."""
    ensemble = repository.find(model_spec(name, version))
    tensor, classes = pb.ModelMetadataResponse.TensorMetadata, len(ensemble.labels)
    return pb.ModelMetadataResponse(
        name=ensemble.name,
        versions=filter(None, versions_of(ensemble.name, repository)),
        platform=PLATFORMS[ensemble.name in repository.ensembles],
        # A file a row: beside the batch's dimension Triton's tools ask for the one that the configuration has.
        inputs=[tensor(name=ENCODED, datatype="BYTES", shape=[-1, 1]), *_rows(ensemble)],
        outputs=[
            tensor(name=LOGITS, datatype="FP32", shape=[-1, classes]),
            tensor(name=PROBABILITIES, datatype="FP32", shape=[-1, classes]),
            tensor(name=LABEL, datatype="BYTES", shape=[-1]),
        ],
    )


def config(name: str, version: str, repository: Repository) -> pb.ModelConfig:
    """The same as Triton has it: without the batch's dimension, in place of which a scalar has one of 1."""
    described = metadata(name, version, repository)
    return pb.ModelConfig(
        name=described.name,
        platform=described.platform,
        backend="tencrop",
        max_batch_size=MOST,
        input=[
            pb.ModelInput(name=each.name, data_type=_TYPES[each.datatype], dims=each.shape[1:], optional=True)
            for each in described.inputs
        ],
        output=[
            pb.ModelOutput(name=each.name, data_type=_TYPES[each.datatype], dims=each.shape[1:] or [1])
            for each in described.outputs
        ],
        dynamic_batching=pb.ModelDynamicBatching(),
        model_transaction_policy=pb.ModelTransactionPolicy(decoupled=False),
    )


def asked_of(name: str, version: str, repository: Repository) -> dict[str, list[str]]:
    """The versions that statistics are asked of, by model: all that are ready where `version` is empty, and of all
    models where `name` is. Raises NotServed, and InvalidRequest where a version of an ensemble is asked for.
    """
    if not name:
        return {each: versions_of(each, repository) for each in caller.get().those_it_may_ask(repository.names)}
    found = repository.find_any(model_spec(name, version))
    chosen = "" if isinstance(found, Ensemble) else str(found.version)
    return {name: [chosen] if version else versions_of(name, repository)}


def elsewhere() -> Forbidden:
    """Why models are not loaded or unloaded here."""
    return Forbidden(
        "Models are loaded and unloaded on the administration port, 8502 unless it was set otherwise; this port "
        "came to be asked. Send this call over gRPC there, or use `tencrop models load` and `unload`."
    )


def ails(name: str, version: str, repository: Repository) -> str:
    """Why it cannot answer now, as far as is known; empty where it can. Of an ensemble or a model, its newest version.

    Raises NotServed, and InvalidRequest where a version of an ensemble is asked for.
    """
    return repository.find_any(model_spec(name, version)).ails


def index(repository: Repository, only_ready: bool) -> list[pb.RepositoryIndexResponse.ModelIndex]:
    """Every ensemble that the caller may ask, and every version of such models that is known, in order of name."""
    may_ask = caller.get().those_it_may_ask
    indexed = [_of_ensemble(name, repository) for name in may_ask(repository.ensembles)]
    indexed += [each for name in may_ask(repository.statuses) for each in _of_model(name, repository)]
    ready = [each for each in indexed if each.state == _STATES[State.AVAILABLE] or not only_ready]
    return sorted(ready, key=lambda each: each.name)


def _of_ensemble(name: str, repository: Repository) -> pb.RepositoryIndexResponse.ModelIndex:
    reason = repository.ails(name)
    return pb.RepositoryIndexResponse.ModelIndex(name=name, state="UNAVAILABLE" if reason else "READY", reason=reason)


def _of_model(name: str, repository: Repository) -> Iterator[pb.RepositoryIndexResponse.ModelIndex]:
    """The newest version first."""
    for version, state, error in repository.status(name):
        reason = error
        if state == State.AVAILABLE and name in repository.models and version in repository.models[name].servables:
            reason = repository.models[name].servables[version].ails
            state = State.END if reason else state
        yield pb.RepositoryIndexResponse.ModelIndex(
            name=name, version=str(version), state=_STATES[state], reason=reason
        )


def _rows(ensemble: Ensemble) -> Iterator[pb.ModelMetadataResponse.TensorMetadata]:
    """None where members take rows of different shapes."""
    shapes = {(card.height, card.width, card.channels) for card in (m.servable.card.input for m in ensemble.members)}
    if len(shapes) == 1:
        yield pb.ModelMetadataResponse.TensorMetadata(name=ROWS, datatype="UINT8", shape=[-1, *shapes.pop()])
