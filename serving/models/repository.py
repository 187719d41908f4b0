"""The models that are being served: found on disk, loaded, and looked up by name."""

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from protos.classification_pb2 import ModelSpec
from serving.errors import InvalidRequest, ModelRejected, NotServed
from serving.models import ensemble_card, versions
from serving.models.declaration import VOTES, Declaration, ModelDeclaration, read_declaration
from serving.models.ensemble import Ensemble, Member
from serving.models.servable import Servable

log = logging.getLogger(__name__)

Load = Callable[[Path, ModelDeclaration], Servable]


@dataclass
class ServedModel:
    """A model with its versions that are ready, and the labels given to them."""

    name: str
    servables: Mapping[int, Servable]
    labels: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._alone = {version: Ensemble.of(servable) for version, servable in self.servables.items()}

    def choose(self, spec: ModelSpec) -> Ensemble:
        """The version that answers `spec`, as an ensemble of one. Raises NotServed."""
        return self._alone[versions.choose(spec, self.servables, self.labels)]


class Repository:
    """Everything that can be asked for, by name."""

    def __init__(self, models: Mapping[str, ServedModel], ensembles: Mapping[str, Ensemble]) -> None:
        self.models = models
        self.ensembles = ensembles
        self.names = sorted({*models, *ensembles})

    @classmethod
    def load(cls, root: Path, load: Load) -> "Repository":
        """Loads the models below `root`, which holds NAME/VERSION/ directories and may hold models.yaml.

        A version that is rejected is logged with the reason, and the next older one is tried; an ensemble
        that lacks a member is logged and left out. Raises ModelRejected where nothing at all can be served.
        """
        declaration = read_declaration(root)
        models = {model.name: model for model in _load_models(root, declaration, load)}
        if not models:
            raise ModelRejected(
                f"A repository holds models as NAME/VERSION/; none in {root} could be loaded. "
                "Train one with `tencrop train`, or name another directory with --models."
            )
        return cls(models, dict(_ensembles(root, declaration, models)))

    @property
    def servables(self) -> Iterator[Servable]:
        """Every loaded version of every model."""
        return (servable for model in self.models.values() for servable in model.servables.values())

    def ails(self, name: str) -> str:
        """Why `name`, one of `names`, cannot answer now, as far as is known; empty where it can. Of a model, its
        newest version.
        """
        if name in self.ensembles:
            return self.ensembles[name].ails
        return self.models[name].choose(ModelSpec(name=name)).ails

    def find(self, spec: ModelSpec) -> Ensemble:
        """Who answers `spec`. Without a name: the only ensemble, or else the only model.

        Raises NotServed, or InvalidRequest where no name was given and there are several.
        """
        name = spec.name or self._default_name()
        if name in self.ensembles:
            if spec.WhichOneof("version_choice"):
                raise InvalidRequest(
                    f"An ensemble has no versions of its own; one was asked of {name!r}. "
                    "Leave it out, or ask one of the ensemble's members."
                )
            return self.ensembles[name]
        if name not in self.models:
            near = difflib.get_close_matches(name, self.names, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise NotServed(f"A model has to be served; {name!r} is not, {self.names} are.{hint}")
        return self.models[name].choose(spec)

    def _default_name(self) -> str:
        for names in (list(self.ensembles), list(self.models)):
            if len(names) == 1:
                return names[0]
        raise InvalidRequest(f"A request names a model where several are served: one of {self.names}. None was named.")


def _load_models(root: Path, declaration: Declaration, load: Load) -> Iterator[ServedModel]:
    for directory in sorted(path for path in root.glob("*") if path.is_dir()):
        found = [version for path in directory.iterdir() if (version := versions.version_of(path.name))]
        name = directory.name
        servables: dict[int, Servable] = {}
        declared = declaration.of_model(name)
        for candidates in versions.candidates(found, declaration.pinned_versions(name)):
            _load_first(directory, candidates, declared, load, servables)
        if servables:
            labels = declaration.labels.get(name, {})
            ready = {label: version for label, version in labels.items() if version in servables}
            yield ServedModel(name, servables, ready)


def _load_first(
    directory: Path, candidates: list[int], declared: ModelDeclaration, load: Load, servables: dict[int, Servable]
) -> None:
    """Adds the first of `candidates` that loads to `servables`, unless it is there already."""
    for version in candidates:
        if version in servables:
            return
        try:
            servables[version] = load(directory / str(version), declared)
            return
        except ModelRejected as error:
            log.error("%s version %s is not served: %s", directory.name, version, error)
        except Exception:  # whatever is wrong with one version, the others are served
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
