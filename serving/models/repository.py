"""The models that are being served: found on disk, loaded, and looked up by name."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from protos.classification_pb2 import ModelSpec
from serving.callers import caller
from serving.errors import ModelRejected, NotServed
from serving.models import ensemble_card, versions
from serving.models.catalogue import Catalogue, ServedModel
from serving.models.declaration import VOTES, Declaration, ModelDeclaration, read_declaration
from serving.models.ensemble import Ensemble, Member
from serving.models.lifecycle import State, VersionStatus
from serving.models.servable import Servable

log = logging.getLogger(__name__)

Load = Callable[[Path, ModelDeclaration], Servable]


class Repository:
    """What is served now. It lives on one event loop, and moves to another catalogue in one step."""

    def __init__(
        self,
        models: Mapping[str, ServedModel],
        ensembles: Mapping[str, Ensemble],
        statuses: Mapping[str, Sequence[VersionStatus]] | None = None,
    ) -> None:
        """`statuses` are of every version that is known, by model; without them, all that are ready."""
        self._catalogue = Catalogue(models, ensembles)
        self.statuses = _of_the_ready(models) if statuses is None else statuses

    @classmethod
    def load(cls, root: Path, load: Load) -> "Repository":
        """Loads the models below `root`, which holds NAME/VERSION/ directories and may hold models.yaml.

        A version that is rejected is logged with the reason, and the next older one is tried; an ensemble
        that lacks a member is logged and left out. Raises ModelRejected where nothing at all can be served.
        """
        declaration = read_declaration(root)
        statuses: dict[str, dict[int, VersionStatus]] = {}
        models = {model.name: model for model in _load_models(root, declaration, load, statuses)}
        if not models:
            raise ModelRejected(
                f"A repository holds models as NAME/VERSION/; none in {root} could be loaded. "
                "Train one with `tencrop train`, or name another directory with --models."
            )
        known = {name: list(of_model.values()) for name, of_model in statuses.items()}
        return cls(models, dict(_ensembles(root, declaration, models)), known)

    @property
    def models(self) -> Mapping[str, ServedModel]:
        """The models that have a version that is ready."""
        return self._catalogue.models

    @property
    def ensembles(self) -> Mapping[str, Ensemble]:
        """The ensembles that can be asked."""
        return self._catalogue.ensembles

    @property
    def names(self) -> list[str]:
        """Of models and ensembles, in order."""
        return self._catalogue.names

    @property
    def servables(self) -> Iterator[Servable]:
        """Every version that is ready, of every model."""
        return self._catalogue.servables

    def status(self, name: str) -> list[VersionStatus]:
        """Every version of the model `name` that is known, newest first, failed ones too. Raises NotServed, or
        Forbidden where the caller may not ask it.
        """
        caller.get().check_may_ask(name)
        if name not in self.statuses:
            known = caller.get().those_it_may_ask(sorted(self.statuses))
            raise NotServed(f"A model has to be known; {name!r} is not, {known} are.")
        return sorted(self.statuses[name], reverse=True)

    def ails(self, name: str) -> str:
        """See Catalogue.ails."""
        return self._catalogue.ails(name)

    def find(self, spec: ModelSpec) -> Ensemble:
        """See Catalogue.find. What is found may be closed at the loop's next turn: to ask it, `hold` it."""
        return self._catalogue.find(spec)

    @contextmanager
    def hold(self, spec: ModelSpec) -> Iterator[Ensemble]:
        """Who answers `spec`, kept loaded until the block ends. Raises as `find` does."""
        ensemble = self.find(spec)
        for member in ensemble.members:
            member.servable.holds.take()
        try:
            yield ensemble
        finally:
            for member in ensemble.members:
                member.servable.holds.leave()


def _of_the_ready(models: Mapping[str, ServedModel]) -> dict[str, list[VersionStatus]]:
    return {
        name: [VersionStatus(version, State.AVAILABLE) for version in model.servables] for name, model in models.items()
    }


def _load_models(
    root: Path, declaration: Declaration, load: Load, statuses: dict[str, dict[int, VersionStatus]]
) -> Iterator[ServedModel]:
    for directory in sorted(path for path in root.glob("*") if path.is_dir()):
        found = [version for path in directory.iterdir() if (version := versions.version_of(path.name))]
        name = directory.name
        servables: dict[int, Servable] = {}
        declared = declaration.of_model(name)
        for candidates in versions.candidates(found, declaration.pinned_versions(name)):
            _load_first(directory, candidates, declared, load, servables, statuses.setdefault(name, {}))
        if servables:
            labels = declaration.labels.get(name, {})
            ready = {label: version for label, version in labels.items() if version in servables}
            yield ServedModel(name, servables, ready)


def _load_first(
    directory: Path,
    candidates: list[int],
    declared: ModelDeclaration,
    load: Load,
    servables: dict[int, Servable],
    statuses: dict[int, VersionStatus],
) -> None:
    """Adds the first of `candidates` that loads to `servables`, unless it is there already."""
    for version in candidates:
        if version in servables:
            return
        try:
            servables[version] = load(directory / str(version), declared)
            statuses[version] = VersionStatus(version, State.AVAILABLE)
            return
        except ModelRejected as error:
            statuses[version] = VersionStatus(version, State.END, str(error))
            log.error("%s version %s is not served: %s", directory.name, version, error)
        except Exception as error:  # whatever is wrong with one version, the others are served
            statuses[version] = VersionStatus(version, State.END, repr(error))
            log.exception("%s version %s is not served: it failed while it was loaded", directory.name, version)


def _ensembles(
    root: Path, declaration: Declaration, models: Mapping[str, ServedModel]
) -> Iterator[tuple[str, Ensemble]]:
    for name, declared in declaration.ensembles.items():
        try:
            if name in models:
                raise ModelRejected(f"A name means one thing; {name!r} is a model too. Rename the ensemble.")
            members = tuple(
                Member(_member(models, member.model, member.version), member.weight) for member in declared.members
            )
            votes = ensemble_card.adaptive_votes(root, name, members)
            patience = declared.patience_seconds
            yield name, Ensemble(name, members, VOTES[declared.vote], votes, declared.quorum or 0, patience)
        except (ModelRejected, NotServed) as error:
            log.error("ensemble %s is not served: %s", name, error)


def _member(models: Mapping[str, ServedModel], name: str, version: int | None) -> Servable:
    if name not in models:
        raise ModelRejected(f"A member has to be a model that is served; {name!r} is not, {sorted(models)} are.")
    return models[name].choose(ModelSpec(name=name, version=version)).members[0].servable
