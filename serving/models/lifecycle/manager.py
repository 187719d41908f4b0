"""Keeps a repository as its directory says: looks, has versions loaded and unloaded, and moves traffic in one step.

Everything here happens on one event loop, but for reading the directory and loading, which have threads. Versions are
loaded one after the other, so that what is served has the processor but for one thread.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from serving.errors import ModelRejected
from serving.models.catalogue import Catalogue, ServedModel
from serving.models.declaration import ModelDeclaration
from serving.models.forming import form
from serving.models.lifecycle import versions
from serving.models.lifecycle.budget import Budget
from serving.models.lifecycle.complaints import Complaints
from serving.models.lifecycle.completeness import Completeness
from serving.models.lifecycle.courtesy import courteous
from serving.models.lifecycle.goals import goal_of
from serving.models.lifecycle.inventory import Inventory, take_inventory
from serving.models.lifecycle.labels import labels_of, troubles_of
from serving.models.lifecycle.memory import give_back_memory
from serving.models.lifecycle.states import VersionStatus
from serving.models.lifecycle.upkeep import Upkeep, Watcher
from serving.models.loaded_version import LoadedVersion
from serving.models.repository import Repository

log = logging.getLogger(__name__)

Load = Callable[[Path, ModelDeclaration], LoadedVersion]
"""Loads the version in a directory, NAME/VERSION. Blocks. Raises ModelRejected."""


class Manager:
    """Keeps `repository` as the directory says."""

    def __init__(
        self, root: Path, load: Load, watcher: Watcher, max_model_bytes: int = 0, settle_seconds: float = 10.0
    ) -> None:
        """`root` holds NAME/VERSION/ directories, and may hold models.yaml and administration.json. Versions that are
        loaded have files of at most `max_model_bytes` together; 0 is no bound. One without a card is whole once its
        files have been the same for `settle_seconds`.
        """
        self.repository = Repository({}, {}, self._statuses, self._label_troubles)
        self.root = root
        self._settle_seconds = settle_seconds
        self._completeness = Completeness(settle_seconds, time.monotonic, time.time)
        self._load = load
        self._watcher = watcher
        self._budget = Budget(max_model_bytes)
        self._unread = Complaints(log)
        self._complaints = Complaints(log)
        self._unformed: Mapping[str, str] = {}
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="loading")
        self._looking = asyncio.Lock()
        self._last = Inventory()
        self._upkeeps: dict[str, Upkeep] = {}

    async def start(self) -> Repository:
        """Loads what there is, and gives what is served of it.

        A version that is rejected is logged with the reason, and the next older one is tried; an ensemble that lacks a
        member is logged and left out. Versions without a card that are not complete are waited for where there is
        nothing else, for as long as it takes to settle. Raises ModelRejected where models.yaml is none, and where
        nothing at all can be served.
        """
        try:
            self._head_for(await self._all_there())
        except OSError as error:
            raise ModelRejected(
                f"A repository is a directory; {self.root} cannot be read ({error.strerror}). "
                "Name another with --models."
            ) from error
        await self.settled()
        if self._last.incomplete and not self.repository.models:
            for name, waiting in self._last.incomplete.items():
                log.warning("%s is waited for, version by version: %s", name, dict(waiting))
            await asyncio.sleep(self._settle_seconds)
            await self.look()
            await self.settled()
        if not self.repository.models:
            raise ModelRejected(
                f"A repository holds models as NAME/VERSION/; none in {self.root} could be loaded. "
                "Train one with `tencrop train`, or name another directory with --models."
            )
        return self.repository

    async def look(self, whole: str | None = None) -> str:
        """Looks into the directory once, and heads for what it says now.

        New versions, and those that failed and have other files now, are loaded once they are complete; those of the
        model `whole` at once. What cannot be read is told, and changes nothing. Gives why it could not be; nothing
        where it could.
        """
        async with self._looking:
            try:
                now = await asyncio.to_thread(take_inventory, self.root, self._last, self._completeness.lacks, whole)
            except (OSError, ModelRejected) as error:
                self._unread.are({f"{self.root} is served as it was": str(error)})
                return str(error)
            self._unread.are({})
            self._head_for(now)
            return ""

    async def rearrange(self, write: Callable[[Path], None]) -> None:
        """Has `write(root)` change the directory, off the event loop and while nobody looks, and heads for what it says
        then: as at the start, versions with a card are taken to be complete. Raises what `write` does, and as
        take_inventory.
        """
        async with self._looking:
            await asyncio.to_thread(write, self.root)
            self._head_for(await self._all_there())

    async def keep_looking(self, seconds: float) -> None:
        """Looks every so many seconds, until it is cancelled."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.look()
            except Exception:  # the next look may succeed
                log.exception("a look into %s failed", self.root)

    async def settled(self, name: str | None = None) -> None:
        """Returns once the model `name`, or every one, is as it is to be, or as close as it can come."""
        for upkeep in list(self._upkeeps.values()):
            if name in (None, upkeep.name):
                await upkeep.settled()

    async def close(self) -> None:
        """Loads and unloads nothing any more. A version that is being loaded is given up once it is there."""
        await asyncio.gather(*(upkeep.close() for upkeep in self._upkeeps.values()))
        self._threads.shutdown(wait=False)

    @property
    def servables(self) -> list[LoadedVersion]:
        """Everything that is loaded, versions that are going too."""
        return [servable for upkeep in self._upkeeps.values() for servable in upkeep.records.servables]

    @property
    def inventory(self) -> Inventory:
        """What the last look found."""
        return self._last

    def on_disk(self, name: str) -> Set[int]:
        """Versions of the model `name` that the last look found."""
        return self._last.models.get(name, {}).keys()

    def try_again(self, name: str, version: int | None) -> None:
        """The next look has `version` of `name` loaded although it failed; None for every version."""
        if name in self._upkeeps:
            self._upkeeps[name].try_again(version)

    def labels(self, name: str) -> Mapping[str, int]:
        """The labels that versions of the model `name` are to have."""
        return labels_of(name, self._last)

    def needed_by(self, name: str, version: int | None) -> list[str]:
        """What does not do without `version` of the model `name`, or without the model."""
        ensembles = self._last.declaration.ensembles.items()
        voted = ((each, member.version) for each, one in ensembles for member in one.members if member.model == name)
        needing = [f"ensemble {each}" for each, named in voted if version in (None, named)]
        labels = [] if version is None else [label for label, named in self.labels(name).items() if named == version]
        return [*needing, *(f"label {label}" for label in labels)]

    async def load(self, name: str, version: int, declared: ModelDeclaration) -> LoadedVersion:
        """See Surroundings.load."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._load_now, self.root / name / str(version), declared
        )

    def kept(self, name: str) -> Set[int]:
        """See Surroundings.kept: versions that a label points to or that vote in an ensemble, until others do."""
        ensembles = self.repository.ensembles.values()
        voters = (member.servable for ensemble in ensembles for member in ensemble.members)
        model = self.repository.models.get(name)
        labelled = model.labels.values() if model else ()
        return {*labelled, *(servable.version for servable in voters if servable.name == name)}

    def moved(self) -> None:
        """See Surroundings.moved: traffic moves here, in one step."""
        models = {name: self._served(each) for name, each in self._upkeeps.items() if each.records.ready}
        ensembles, self._unformed = form(self.root, self._last.declaration.ensembles, models, self.repository.ensembles)
        self.repository.move_to(Catalogue(models, ensembles))

    def rested(self) -> None:
        """See Surroundings.rested: members that are missing are on their way no more."""
        if not any(upkeep.at_work for upkeep in self._upkeeps.values()):
            wrong = {f"ensemble {name} is not served as declared": why for name, why in self._unformed.items()}
            for name in self._upkeeps:
                troubles = self._label_troubles(name).items()
                wrong |= {f"{name} label {label} is not where it is wanted": why for label, why in troubles}
            self._complaints.are(wrong)

    async def give_back_memory(self) -> None:
        """See Surroundings.give_back_memory."""
        await asyncio.to_thread(give_back_memory)

    def unloaded(self) -> None:
        """See Surroundings.unloaded."""
        for upkeep in self._upkeeps.values():
            upkeep.try_again_with_more_room()

    async def _all_there(self) -> Inventory:
        """What lies there, as if nothing were known of it but where files have put labels so far."""
        since = Inventory(labels=self._last.labels)
        return await asyncio.to_thread(take_inventory, self.root, since, self._completeness.lacks_without_card)

    def _load_now(self, directory: Path, declared: ModelDeclaration) -> LoadedVersion:
        began = time.monotonic()
        with courteous():
            servable = self._load(directory, declared)
        log.info("%s version %s is loaded, in %.2f s", *directory.parts[-2:], time.monotonic() - began)
        return servable

    def _head_for(self, now: Inventory) -> None:
        """Has every model head for what `now` says of it."""
        is_news, self._last = now != self._last, now
        gone = [name for name, each in self._upkeeps.items() if not (now.models.get(name) or each.records.statuses)]
        for name in gone:
            del self._upkeeps[name]
        for name in now.models:
            self._upkeeps.setdefault(name, Upkeep(name, self, self._budget, self._watcher))
        for name, upkeep in self._upkeeps.items():
            upkeep.head_for(goal_of(name, now))
        self.repository.trials.remember(now.orders.rolled_back)
        if is_news:  # labels and ensembles may be
            self.moved()

    def _statuses(self) -> dict[str, list[VersionStatus]]:
        known = sorted(self._upkeeps.items())
        return {name: statuses for name, upkeep in known if (statuses := upkeep.records.statuses)}

    def _label_troubles(self, name: str) -> Mapping[str, str]:
        model, upkeep = self.repository.models.get(name), self._upkeeps.get(name)
        statuses = upkeep.records.statuses if upkeep else ()
        return troubles_of(name, self._last, model.labels if model else {}, statuses)

    def _served(self, upkeep: Upkeep) -> ServedModel:
        """What is ready of a model, under the labels that can be given by now."""
        before = self.repository.models.get(upkeep.name)
        servables = {version: ready.servable for version, ready in upkeep.records.ready.items()}
        wanted = labels_of(upkeep.name, self._last)
        labels = versions.standing(wanted, before.labels if before else {}, servables)
        declared = self._last.declaration.of_model(upkeep.name)
        return ServedModel(upkeep.name, servables, labels, declared.canary, declared.shadow)
