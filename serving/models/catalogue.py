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
from serving.models.servable import Servable


@dataclass
class ServedModel:
    """A model with its versions that are ready, and the labels given to them."""

    name: str
    servables: Mapping[int, Servable]
    labels: Mapping[str, int] = field(default_factory=dict)
    canary: CanaryDeclaration | None = None
    shadow: TrialDeclaration | None = None

    def __post_init__(self) -> None:
        self._alone = {version: Ensemble.of(servable) for version, servable in self.servables.items()}
        self._on_trial = on_trial(self.canary, self.shadow, self.labels)

    def choose(self, spec: ModelSpec) -> Ensemble:
        """The version that answers `spec`, as an ensemble of one. Raises NotServed."""
        return self._alone[versions.choose(spec, self.servables, self.labels, self._on_trial)]

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
    def servables(self) -> Iterator[Servable]:
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
        """Who answers `spec`. Without a name: the only ensemble that the caller may ask, or else the only model.

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
