"""Versions on trial: what came of their calls, and whether they are rolled back. It has no clock and no dice."""

import logging
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from serving.models.catalogue import ServedModel
from serving.models.declaration import CanaryDeclaration, TrialDeclaration
from serving.models.trials.evidence import Count
from serving.models.trials.roll_back import RollBack
from serving.models.trials.routing import falls_to_trial, place_of

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Is told of canaries."""

    def canary_rolled_back(self, model: str, version: int, rolled_back: bool) -> None:
        """Whether it is, at the begin of its trial and when that changes."""

    def canary_ended(self, model: str, version: int) -> None:
        """It is none any more."""


@dataclass
class Canary:
    """One version that answers a share of its model's calls, from its declaration until that changes."""

    model: str
    version: int
    declared: CanaryDeclaration
    stable_version: int
    stable: Count = field(default_factory=Count)
    canary: Count = field(default_factory=Count)
    pairs: Count = field(default_factory=Count)
    """Calls that a shadow of the same version answered too; wrong where it said something else, or nothing."""
    last_failure: str = ""
    """Why its last call that failed did, if anybody said."""
    rolled_back: str = ""
    """Why it gets no more calls; empty while it does."""

    def takes(self, key: str, dice: float) -> bool:
        """Whether a call with this key, if it is not empty, falls to it; else by `dice`, from 0 to below 1."""
        place = place_of(key, self.model, self.version) if key else dice
        return not self.rolled_back and falls_to_trial(place, self.declared.percent)

    @property
    def verdict(self) -> str:
        """Why it is to be rolled back by what was counted so far; empty where it is not.

        Where the stable version fails more often than `max_error_rate`, as in an outage of what both depend on, the
        canary may as often; the evidence is exact for a bound that is given, and near it for one that is measured.
        """
        error_bound = max(self.declared.max_error_rate, self.stable.rate)
        if self.canary.passes(error_bound):
            why = f" Its last failure was {self.last_failure}" if self.last_failure else ""
            return (
                f"A canary fails at most {error_bound:.4g} of its calls; {self.canary.wrong} of {self.canary.calls} "
                f"failed, of the stable version {self.stable_version}'s {self.stable.wrong} of {self.stable.calls}."
                + why
            )
        if self.pairs.passes(self.declared.max_disagreement):
            return (
                f"A canary disagrees on at most {self.declared.max_disagreement:.4g} of the pictures; it did on "
                f"{self.pairs.wrong} of {self.pairs.calls} that version {self.stable_version} answered."
            )
        return ""


@dataclass
class Shadowed:
    """One version that is asked a share of its model's calls too, from its declaration until that changes."""

    model: str
    version: int
    declared: TrialDeclaration
    stable_version: int
    pairs: Count = field(default_factory=Count)
    """Pictures that both versions were asked about; wrong where it said something else, or nothing."""


class Trials:
    """The canary and the shadow of each model, if it has them."""

    def __init__(self) -> None:
        self._canaries: dict[str, Canary] = {}
        self._shadows: dict[str, Shadowed] = {}
        self._rolled_back: dict[str, RollBack] = {}
        self._written: Mapping[str, RollBack] = {}
        self._observer: Observer | None = None
        self._keep: Callable[[str, RollBack], None] | None = None

    def tell(self, observer: Observer) -> None:
        """Tells `observer` from now on."""
        self._observer = observer

    def keep_by(self, keep: Callable[[str, RollBack], None]) -> None:
        """Has each roll-back kept, by `keep(model, roll_back)`, which returns at once."""
        self._keep = keep

    def remember(self, written: Mapping[str, RollBack]) -> None:
        """What is written down of roll-backs now, by model: before a restart, by a replica, or by this server. One that
        was there and is no more is lifted, and its trial begins anew.
        """
        for name in {*written, *self._written}:
            now = written.get(name)
            if now == self._written.get(name):
                continue
            if now:
                self._rolled_back[name] = now
            else:
                self._rolled_back.pop(name, None)
            canary = self._canaries.get(name)
            if canary and bool(canary.rolled_back) != bool(
                self._why_not(canary.model, canary.version, canary.declared)
            ):
                self._begin(name, canary.version, canary.declared, canary.stable_version)
        self._written = written

    def canary_of(self, model: ServedModel) -> Canary | None:
        """The canary of `model`, where one is declared and ready beside a stable version.

        Counts begin anew where the declaration or either version changed. What was rolled back stays so under the same
        declaration, until that is lifted.
        """
        declared, stable = model.canary, model.stable_version
        if declared is None:
            self._end(model.name)
            return None
        version = declared.version_among(model.labels)
        if version is None or version not in model.servables or version == stable:
            return None
        before = self._canaries.get(model.name)
        if before and (before.declared, before.version, before.stable_version) == (declared, version, stable):
            return before
        return self._begin(model.name, version, declared, stable)

    def shadow_of(self, model: ServedModel) -> Shadowed | None:
        """The shadow of `model`, where one is declared and ready beside a stable version. Counts begin anew as a
        canary's do.
        """
        declared, stable = model.shadow, model.stable_version
        version = declared.version_among(model.labels) if declared else None
        if declared is None or version is None or version not in model.servables or version == stable:
            self._shadows.pop(model.name, None)
            return None
        before = self._shadows.get(model.name)
        if before and (before.declared, before.version, before.stable_version) == (declared, version, stable):
            return before
        shadow = self._shadows[model.name] = Shadowed(model.name, version, declared, stable)
        return shadow

    def forget_all_but(self, names: Container[str]) -> None:
        """Of models that are served no more, no trial is left."""
        for name in [name for name in self._canaries if name not in names]:
            self._end(name)
        for name in [name for name in self._shadows if name not in names]:
            del self._shadows[name]

    def judge(self, canary: Canary) -> None:
        """Rolls `canary` back where what was counted says so; not one whose trial has ended since."""
        is_on_trial = self._canaries.get(canary.model) is canary
        if is_on_trial and not canary.rolled_back and (verdict := canary.verdict):
            canary.rolled_back = verdict
            log.error("%s version %s is rolled back: %s", canary.model, canary.version, verdict)
            roll_back = RollBack(version=canary.version, declared=canary.declared, why=verdict)
            self._rolled_back[canary.model] = roll_back
            if self._keep:
                self._keep(canary.model, roll_back)
            self._tell_of(canary)

    def _begin(self, name: str, version: int, declared: CanaryDeclaration, stable: int) -> Canary:
        before = self._canaries.get(name)
        if before and before.version != version:
            self._end(name)
        canary = Canary(name, version, declared, stable, rolled_back=self._why_not(name, version, declared))
        self._canaries[name] = canary
        self._tell_of(canary)
        return canary

    def _end(self, name: str) -> None:
        canary = self._canaries.pop(name, None)
        if canary and self._observer:
            self._observer.canary_ended(name, canary.version)

    def _why_not(self, name: str, version: int, declared: CanaryDeclaration) -> str:
        """Why that canary gets no calls; empty where it does."""
        roll_back = self._rolled_back.get(name)
        return roll_back.why if roll_back and (roll_back.version, roll_back.declared) == (version, declared) else ""

    def _tell_of(self, canary: Canary) -> None:
        if self._observer:
            self._observer.canary_rolled_back(canary.model, canary.version, bool(canary.rolled_back))
