"""The models that are being served, looked up by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from protos.classification_pb2 import ModelSpec
from serving.callers import caller
from serving.errors import NotServed
from serving.models.catalogue import Catalogue, ServedModel
from serving.models.ensemble import Ensemble
from serving.models.lifecycle.states import State, VersionStatus
from serving.models.loaded_version import LoadedVersion
from serving.models.trials.canaries import Trials

Statuses = Mapping[str, Sequence[VersionStatus]]


class Repository:
    """What is served now. It lives on one event loop, and moves to another catalogue in one step."""

    def __init__(
        self,
        models: Mapping[str, ServedModel],
        ensembles: Mapping[str, Ensemble],
        statuses: Callable[[], Statuses] | None = None,
        label_troubles: Callable[[str], Mapping[str, str]] = lambda name: {},
    ) -> None:
        """`statuses` tells of every version that is known; without it, those that are ready are."""
        self.label_troubles = label_troubles
        """Labels of a model that are not where they are wanted, and why."""
        self._catalogue = Catalogue(models, ensembles)
        self.trials = Trials()
        self._statuses = statuses or self._of_the_ready

    def move_to(self, catalogue: Catalogue) -> None:
        """Calls that begin from now on are answered of `catalogue`."""
        self._catalogue = catalogue
        self.trials.forget_all_but(catalogue.models)

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
    def servables(self) -> Iterator[LoadedVersion]:
        """Every version that is ready, of every model."""
        return self._catalogue.servables

    @property
    def statuses(self) -> Statuses:
        """By model, every version that is known, newest first; those that failed too."""
        return self._statuses()

    def status(self, name: str) -> Sequence[VersionStatus]:
        """Every version of the model `name` that is known, newest first. Raises NotServed, or Forbidden where the
        caller may not ask it.
        """
        caller.get().check_may_ask(name)
        statuses = self.statuses
        if name not in statuses:
            known = caller.get().those_it_may_ask(sorted(statuses))
            raise NotServed(f"A model has to be known; {name!r} is not, {known} are.")
        return statuses[name]

    def ails(self, name: str) -> str:
        """See Catalogue.ails."""
        return self._catalogue.ails(name)

    def find(self, spec: ModelSpec) -> Ensemble:
        """See Catalogue.find. What is found may be closed at the loop's next turn: to ask it, `hold` it."""
        return self._catalogue.find(spec)

    def find_any(self, spec: ModelSpec) -> Ensemble | LoadedVersion:
        """See Catalogue.find_any; and `find`."""
        return self._catalogue.find_any(spec)

    def open_to_choice(self, spec: ModelSpec) -> ServedModel | None:
        """See Catalogue.open_to_choice."""
        return self._catalogue.open_to_choice(spec)

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

    @contextmanager
    def hold_version(self, spec: ModelSpec) -> Iterator[LoadedVersion]:
        """Who answers tensors, kept loaded until the block ends. Raises as Catalogue.find_version does."""
        version = self._catalogue.find_version(spec)
        version.holds.take()
        try:
            yield version
        finally:
            version.holds.leave()

    def _of_the_ready(self) -> Statuses:
        return {
            name: [VersionStatus(version, State.AVAILABLE) for version in sorted(model.servables, reverse=True)]
            for name, model in self.models.items()
        }
