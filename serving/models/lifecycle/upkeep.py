"""The versions of one model, brought step by step to those that are aspired to. Lives on one event loop."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Set
from typing import Protocol

from serving.errors import ModelRejected
from serving.models.declaration import ModelDeclaration
from serving.models.lifecycle import versions
from serving.models.lifecycle.budget import Budget, NoRoom
from serving.models.lifecycle.goals import Goal
from serving.models.lifecycle.inventory import Files
from serving.models.lifecycle.records import Failure, Ready, Records
from serving.models.lifecycle.states import Step, next_step
from serving.models.loaded_version import LoadedVersion

log = logging.getLogger(__name__)


class Surroundings(Protocol):
    """What a model's upkeep works with."""

    async def load(self, name: str, version: int, declared: ModelDeclaration) -> LoadedVersion:
        """Loads a version off the event loop. Raises ModelRejected."""

    def kept(self, name: str) -> Set[int]:
        """Versions that others stand on until something else can take their place."""

    def moved(self) -> None:
        """Other versions are ready than before."""

    def rested(self) -> None:
        """A model has no step left to take for now."""

    async def give_back_memory(self) -> None:
        """Nothing refers to a version that was closed, or did not come to be loaded."""

    def unloaded(self) -> None:
        """A version has gone, and others may have its room."""


class Watcher(Protocol):
    """Told what becomes of versions."""

    def version_ready(self, name: str, version: int, queued_rows: Callable[[], int]) -> None: ...
    def version_failed(self, name: str, version: int) -> None: ...
    def version_forgiven(self, name: str, version: int) -> None:
        """That it failed counts no more."""

    def version_gone(self, name: str, version: int) -> None:
        """Nothing is left of it: no servable, and no failure that stands."""


class Upkeep:
    """Loads and unloads the versions of one model, a step at a time."""

    def __init__(self, name: str, surroundings: Surroundings, budget: Budget, watcher: Watcher) -> None:
        self.name = name
        self.records = Records()
        self._around = surroundings
        self._budget = budget
        self._watcher = watcher
        self._goal = Goal()
        self.at_work = False
        """Whether there may be steps to take."""
        self._work: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def head_for(self, goal: Goal) -> None:
        """Works towards `goal` from here on."""
        self._goal = goal
        self._forgive(self.records.outlived(goal))
        self.records.coming = goal.incomplete
        self.records.ended = (self.records.ended | goal.barred) & set(goal.found)
        if not self.at_work:
            self.at_work = True
            self._work = asyncio.create_task(self._take_steps())

    def try_again(self, version: int | None) -> None:
        """Forgets why `version` was not loaded; None for every one."""
        self._forgive([each for each in self.records.failures if version in (None, each)])

    def try_again_with_more_room(self) -> None:
        """Memory was given back: what did not fit may fit."""
        self._forgive([version for version, failure in self.records.failures.items() if failure.for_room])
        self.head_for(self._goal)

    async def settled(self) -> None:
        """Returns once there is no step left to take. Of versions that go, only those are waited for whose memory
        others need.
        """
        while tasks := {task for task in (self._work, *self._waited_for()) if task and not task.done()}:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Ends the work. What is ready stays so; a version that is being loaded is given up."""
        tasks = [task for task in (self._work, *self._closing) if task and not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _waited_for(self) -> Set[asyncio.Task[None]]:
        return self._closing if self._goal.declared.availability == "resource_preserving" else set()

    async def _take_steps(self) -> None:
        try:
            while (step := self._next_step()) != Step():
                for version in step.unload:
                    self._retire(version)
                if step.load is not None:
                    await self._load(step.load)
        finally:
            self.at_work = False
        self._around.rested()

    def _next_step(self) -> Step:
        goal, records = self._goal, self.records
        kept = self._around.kept(self.name) if goal.declared.availability == "preserving" else set()
        aspired = versions.aspired(records.usable(goal), goal.declared.wants, goal.pinned, kept, goal.on_trial)
        return next_step(aspired, set(records.failures), records.loaded(goal.declared), goal.declared.availability)

    async def _load(self, version: int) -> None:
        files, declared = self._goal.found[version], self._goal.declared.of_loading
        self.records.loading = version
        try:
            ready = await self._loaded(version, files, declared)
        except ModelRejected as error:
            log.error("%s version %s is not served: %s", self.name, version, error)
            self._fail(version, Failure(str(error), files, declared, isinstance(error, NoRoom)))
        except Exception as error:  # whatever is wrong with one version, the others are served
            log.exception("%s version %s is not served: it failed while it was loaded", self.name, version)
            self._fail(version, Failure(repr(error), files, declared))
        else:
            self._admit(version, ready)
            return
        await self._around.give_back_memory()

    async def _loaded(self, version: int, files: Files, declared: ModelDeclaration) -> Ready:
        place = self._budget.take(files.bytes)
        try:
            return Ready(await self._around.load(self.name, version, declared), declared, place)
        except BaseException:
            place.give_back()
            raise

    def _admit(self, version: int, ready: Ready) -> None:
        before = self.records.ready.get(version)
        self.records.loading = None
        self.records.ready[version] = ready
        self._watcher.version_ready(self.name, version, lambda: ready.servable.queued_rows)
        self._around.moved()
        if before:
            self._close_later(before)

    def _fail(self, version: int, failure: Failure) -> None:
        self.records.loading = None
        self.records.failures[version] = failure
        self._watcher.version_failed(self.name, version)

    def _forgive(self, failed: Iterable[int]) -> None:
        for version in failed:
            del self.records.failures[version]
            self._watcher.version_forgiven(self.name, version)
            self._forget(version)

    def _retire(self, version: int) -> None:
        leaving = self.records.ready.pop(version)
        self.records.ended.add(version)
        self._close_later(leaving)
        self._around.moved()

    def _close_later(self, leaving: Ready) -> None:
        self.records.unloading.append(leaving)
        task = asyncio.create_task(self._close(leaving))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, leaving: Ready) -> None:
        version, place = leaving.servable.version, leaving.place
        await leaving.servable.holds.ended()
        await leaving.servable.close(patience=None)
        self.records.unloading.remove(leaving)
        del leaving  # who keeps a reference keeps its memory
        place.give_back()
        log.info("%s version %s is unloaded", self.name, version)
        self._forget(version)
        await self._around.give_back_memory()
        self._around.unloaded()

    def _forget(self, version: int) -> None:
        if not self.records.knows(version):
            self._watcher.version_gone(self.name, version)
