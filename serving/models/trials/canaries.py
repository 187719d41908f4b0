"""Versions on trial: what came of their calls, and whether they are rolled back. It has no clock and no dice."""

import logging
from dataclasses import dataclass, field
from typing import Protocol

from serving.models.catalogue import ServedModel
from serving.models.declaration import CanaryDeclaration
from serving.models.trials.evidence import Count
from serving.models.trials.routing import falls_to_trial, place_of

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Is told of canaries."""

    def canary_rolled_back(self, model: str, version: int, rolled_back: bool) -> None:
        """Whether it is, at the begin of its trial and when that changes."""


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
            return (
                f"A canary fails at most {error_bound:.4g} of its calls; {self.canary.wrong} of {self.canary.calls} "
                f"failed, of the stable version {self.stable_version}'s {self.stable.wrong} of {self.stable.calls}."
            )
        if self.pairs.passes(self.declared.max_disagreement):
            return (
                f"A canary disagrees on at most {self.declared.max_disagreement:.4g} of the pictures; it did on "
                f"{self.pairs.wrong} of {self.pairs.calls} that version {self.stable_version} answered."
            )
        return ""


class Trials:
    """The canary of each model, if it has one."""

    def __init__(self) -> None:
        self._canaries: dict[str, Canary] = {}
        self._observer: Observer | None = None

    def tell(self, observer: Observer) -> None:
        """Tells `observer` from now on."""
        self._observer = observer

    def canary_of(self, model: ServedModel) -> Canary | None:
        """The canary of `model`, where one is declared and ready beside a stable version.

        Counts begin anew where the declaration or either version changed. What was rolled back stays so until its
        declaration or its version changes.
        """
        declared, stable = model.canary, model.stable_version
        if declared is None:
            self._canaries.pop(model.name, None)
            return None
        version = declared.version_among(model.labels)
        if version is None or version not in model.servables or version == stable:
            return None
        before = self._canaries.get(model.name)
        if before and (before.declared, before.version, before.stable_version) == (declared, version, stable):
            return before
        canary = self._canaries[model.name] = Canary(model.name, version, declared, stable)
        if before and (before.declared, before.version) == (declared, version):
            canary.rolled_back = before.rolled_back
        self._tell_of(canary)
        return canary

    def judge(self, canary: Canary) -> None:
        """Rolls `canary` back where what was counted says so."""
        if not canary.rolled_back and (verdict := canary.verdict):
            canary.rolled_back = verdict
            log.error("%s version %s is rolled back: %s", canary.model, canary.version, verdict)
            self._tell_of(canary)

    def _tell_of(self, canary: Canary) -> None:
        if self._observer:
            self._observer.canary_rolled_back(canary.model, canary.version, bool(canary.rolled_back))
