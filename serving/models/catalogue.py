"""What can be asked for at one moment, by name. It never changes; a repository moves from one to the next."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from protos.classification_pb2 import ModelSpec
from serving.callers import caller
from serving.errors import InvalidRequest, NotServed
from serving.models.declaration import CanaryDeclaration, TrialDeclaration, on_trial
from serving.models.ensemble import Ensemble
from serving.models.lifecycle import versions
from serving.models.loaded_version import LoadedVersion
from serving.models.servable import Servable


@dataclass
class ServedModel:
    """A model with its versions that are ready, and the labels given to them."""

    name: str
    servables: Mapping[int, LoadedVersion]
    labels: Mapping[str, int] = field(default_factory=dict)
    canary: CanaryDeclaration | None = None
    shadow: TrialDeclaration | None = None

    def __post_init__(self) -> None:
        with_card = (each for each in self.servables.values() if isinstance(each, Servable))
        self._alone = {servable.version: Ensemble.of(servable) for servable in with_card}
        self._on_trial = on_trial(self.canary, self.shadow, self.labels)

    def choose(self, spec: ModelSpec) -> LoadedVersion:
        """The version that answers `spec`. Raises NotServed."""
        return self.servables[versions.choose(spec, self.servables, self.labels, self._on_trial)]

    def alone(self, version: int) -> Ensemble:
        """One of its versions as an ensemble of one. Raises InvalidRequest where that has no card."""
        if version not in self._alone:
            raise InvalidRequest(
                f"Who classifies pictures, or votes, has a card with its classes; version {version} of "
                f"{self.name!r} is a SavedModel without one, and answers tensors only. Publish it with "
                "`tencrop export` to have pictures classified."
            )
        return self._alone[version]

    @property
    def stable_version(self) -> int:
        """The one that answers who names none, but for the canary's share."""
        return versions.stable(self.servables, self._on_trial)


class Catalogue:
    """Models and ensembles that are ready together."""

    def __init__(self, models: Mapping[str, ServedModel], ensembles: Mapping[str, Ensemble]) -> None:
        self.models = models
        self.ensembles = ensembles
        self.names = sorted({*models, *ensembles})

    @property
    def servables(self) -> Iterator[LoadedVersion]:
        """Every version of every model."""
        return (servable for model in self.models.values() for servable in model.servables.values())

    def ails(self, name: str) -> str:
        """Why `name`, one of `names`, cannot answer now, as far as is known; empty where it can. Of a model, its
        stable version.
        """
        if name in self.ensembles:
            return self.ensembles[name].ails
        return self.models[name].choose(ModelSpec(name=name)).ails

    def find(self, spec: ModelSpec) -> Ensemble:
        """Who votes on what is asked of `spec`: an ensemble, or a version as an ensemble of one. Raises as `find_any`
        does, and InvalidRequest for a version without a card.
        """
        found = self.find_any(spec)
        return found if isinstance(found, Ensemble) else self.models[found.name].alone(found.version)

    def find_version(self, spec: ModelSpec) -> LoadedVersion:
        """Who answers tensors for `spec`. Raises as `find_any` does, and InvalidRequest for an ensemble."""
        found = self.find_any(spec)
        if isinstance(found, Ensemble):
            names = [member.servable.name for member in found.members]
            raise InvalidRequest(
                f"Signatures are a model's; {found.name!r} is an ensemble of {names}. Ask one of them, or Classify."
            )
        return found

    def find_any(self, spec: ModelSpec) -> Ensemble | LoadedVersion:
        """The ensemble, or the version, that answers `spec`. Without a name: the only ensemble that the caller may ask,
        or else the only model.

        Raises NotServed, Forbidden where the caller may not ask it, or InvalidRequest where no name was given and
        there are several.
        """
        name = spec.name or self._default_name()
        caller.get().check_may_ask(name)
        if name in self.ensembles:
            if spec.WhichOneof("version_choice"):
                raise InvalidRequest(
                    f"An ensemble has no versions of its own; one was asked of {name!r}. "
                    "Leave it out, or ask one of the ensemble's members."
                )
            return self.ensembles[name]
        if name not in self.models:
            names = caller.get().those_it_may_ask(self.names)
            near = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise NotServed(f"A model has to be served; {name!r} is not, {names} are.{hint}")
        return self.models[name].choose(spec)

    def open_to_choice(self, spec: ModelSpec) -> ServedModel | None:
        """The model of which `spec` names no version; None where it names one, or something else.

        Raises InvalidRequest as `find` does.
        """
        if spec.WhichOneof("version_choice"):
            return None
        name = spec.name or self._default_name()
        return None if name in self.ensembles else self.models.get(name)

    def _default_name(self) -> str:
        may_ask = caller.get().those_it_may_ask
        for names in (may_ask(self.ensembles), may_ask(self.models)):
            if len(names) == 1:
                return names[0]
        names = may_ask(self.names)
        raise InvalidRequest(f"A request names a model where several are served: one of {names}. None was named.")
