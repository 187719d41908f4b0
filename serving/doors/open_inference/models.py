"""What the Open Inference Protocol tells of the server and its models: readiness and versions."""

from collections.abc import Iterator
from importlib.metadata import version as installed

from protos import open_inference_pb2 as pb
from serving.callers import caller
from serving.doors.open_inference.question import model_spec
from serving.errors import Forbidden
from serving.models.ensemble import Ensemble
from serving.models.lifecycle.states import State
from serving.models.repository import Repository

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
