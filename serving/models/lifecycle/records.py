"""What is known of the versions of one model, and what follows from it. Pure, but for the servables that it holds."""

from collections.abc import Mapping
from typing import NamedTuple

from serving.models.declaration import ModelDeclaration
from serving.models.lifecycle.budget import Place
from serving.models.lifecycle.goals import Goal
from serving.models.lifecycle.inventory import Files
from serving.models.lifecycle.states import Loaded, State, VersionStatus
from serving.models.loaded_version import LoadedVersion


class Ready(NamedTuple):
    """A version that answers."""

    servable: LoadedVersion
    declared: ModelDeclaration
    place: Place


class Failure(NamedTuple):
    """Why a version was not loaded. It stands while files and declaration are the same."""

    error: str
    files: Files
    declared: ModelDeclaration
    for_room: bool = False
    """It would not fit beside the others."""


class Records:
    """The versions of one model by what has become of them. One that failed may be ready as it was declared before."""

    def __init__(self) -> None:
        self.ready: dict[int, Ready] = {}
        self.loading: int | None = None
        self.unloading: list[Ready] = []
        self.failures: dict[int, Failure] = {}
        self.ended: set[int] = set()
        """On disk, and not served any more."""
        self.coming: Mapping[int, str] = {}
        """On disk in part, and what they wait for."""

    @property
    def statuses(self) -> list[VersionStatus]:
        """Of every version that is known, newest first."""
        states = dict.fromkeys(self.coming, State.START)
        states |= dict.fromkeys((*self.ended, *self.failures), State.END)
        states |= dict.fromkeys(self._unloading_versions, State.UNLOADING)
        states |= {self.loading: State.LOADING} if self.loading else {}
        states |= dict.fromkeys(self.ready, State.AVAILABLE)
        errors = {**self.coming, **{version: failure.error for version, failure in self.failures.items()}}
        return [VersionStatus(each, states[each], errors.get(each, "")) for each in sorted(states, reverse=True)]

    @property
    def servables(self) -> list[LoadedVersion]:
        """Everything that takes memory."""
        return [each.servable for each in (*self.ready.values(), *self.unloading)]

    @property
    def _unloading_versions(self) -> list[int]:
        return [each.servable.version for each in self.unloading]

    def knows(self, version: int) -> bool:
        """Whether anything of `version` is left: a servable, or a failure that stands."""
        return version in self.ready or version in self.failures or version in (self.loading, *self._unloading_versions)

    def usable(self, goal: Goal) -> set[int]:
        """Versions that answer or might: on disk, not barred, and of those that do not answer none that failed or of
        which not all has come.
        """
        found, ready = set(goal.found), set(self.ready)
        return (found & ready | (found - set(self.failures) - set(goal.incomplete))) - goal.barred

    def loaded(self, declared: ModelDeclaration) -> Loaded:
        """The versions that take memory, told apart by whether they are `declared` so now."""
        current = {version for version, ready in self.ready.items() if ready.declared == declared.of_loading}
        return Loaded(current, set(self.ready) - current, set(self._unloading_versions))

    def outlived(self, goal: Goal) -> list[int]:
        """Versions whose failure is of other files or another declaration than those of `goal`."""
        now = {version: (goal.found.get(version), goal.declared.of_loading) for version in self.failures}
        return [version for version, failure in self.failures.items() if now[version] != failure[1:3]]
