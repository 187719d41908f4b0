"""Which version answers a call that names none, and what comes of it."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from protos.classification_pb2 import ModelSpec
from serving.errors import Forbidden, InvalidRequest, NoSuchSignature, NotServed
from serving.metrics import Metrics
from serving.models.catalogue import ServedModel
from serving.models.repository import Repository
from serving.models.trials.canaries import Canary
from serving.routing_keys import routing_key

log = logging.getLogger(__name__)

Answered = TypeVar("Answered")

_TOLD = 300
"""Characters of a reason: what callers send may be part of it."""

_CALLERS = (InvalidRequest, NotServed, NoSuchSignature, Forbidden)
"""What only its caller is to be blamed for."""


class Way(NamedTuple):
    """Where a call goes."""

    spec: ModelSpec
    """Whom to ask: what the call named, or the canary in its place."""
    model: ServedModel | None = None
    """The model with a version on trial, where the call is open to that."""
    canary: Canary | None = None
    """Of `model`, if it has one."""
    on_trial: bool = False
    """Whether it is the canary that answers."""


class Router:
    """Sends calls to the canaries of a repository, and counts how those do beside the stable version."""

    def __init__(
        self,
        repository: Repository,
        metrics: Metrics,
        clock: Callable[[], float],
        dice: Callable[[], float] = random.random,
    ) -> None:
        """`dice` gives numbers from 0 to below 1 that are spread evenly."""
        self._repository = repository
        self._metrics = metrics
        self._clock = clock
        self._dice = dice
        self._trials = repository.trials
        self._trials.tell(metrics)

    def way(self, spec: ModelSpec, key: str = "") -> Way:
        """Where a call about `spec` goes: by `key`, else by the routing key that came with the call, else at random.

        Who names a version, a label or an ensemble gets that. Raises InvalidRequest as Catalogue.find does.
        """
        model = self._repository.open_to_choice(spec)
        if model is None or not (model.canary or model.shadow):
            return Way(spec)
        canary = self._trials.canary_of(model)
        if canary and canary.takes(key or routing_key.get(), self._dice()):
            return Way(ModelSpec(name=model.name, version=canary.version), model, canary, on_trial=True)
        return Way(spec, model, canary)

    async def answered(self, way: Way, deadline: float, ask: Callable[[ModelSpec], Awaitable[Answered]]) -> Answered:
        """What `ask(spec)` gives of whom the `way` leads to, before a moment on the clock; counted if it is part of a
        trial.

        What a canary refuses as its caller's fault, the stable version is asked. If that answers, so is the caller, and
        the canary has failed; if it refuses too, nobody has. So no caller has a canary rolled back by asking nonsense.
        """
        began = self._clock()
        try:
            with self._watched(way, deadline):
                return await ask(way.spec)
        except _CALLERS as error:
            stable = self._stable(way)
            if stable is None:
                raise
            refused, took = error, self._clock() - began
        with self._watched(stable, deadline):
            answer = await ask(stable.spec)
        log.warning(
            "%s version %s refused what version %s answers: %s",
            way.spec.name,
            way.spec.version,
            stable.spec.version,
            refused,
        )
        self._observe(way, "failed", took, refused)
        return answer

    def _stable(self, way: Way) -> Way | None:
        """To the version beside the canary that `way` leads to; None where it leads to none, or the model has gone."""
        model = self._repository.models.get(way.model.name) if way.model and way.on_trial else None
        if model is None:
            return None
        return Way(ModelSpec(name=model.name, version=model.stable_version), model, way.canary)

    @contextmanager
    def _watched(self, way: Way, deadline: float) -> Iterator[None]:
        """Counts the call inside the block, but for one that is its caller's fault."""
        if way.model is None:
            yield
            return
        began, outcome, why = self._clock(), "failed", None
        try:
            yield
            outcome = "answered"
        except _CALLERS:
            outcome = ""
            raise
        except asyncio.CancelledError:
            if self._clock() < deadline:  # the caller has gone; at the deadline a call is cancelled too, for being late
                outcome = ""
            raise
        except Exception as error:
            why = error
            raise
        finally:
            if outcome:
                self._observe(way, outcome, self._clock() - began, why)

    def shadowing(self, way: Way) -> int | None:
        """The version that is to be asked too what the stable one has answered; None where none is, this time."""
        if way.model is None or way.on_trial:
            return None
        shadow = self._trials.shadow_of(way.model)
        return shadow.version if shadow and self._dice() * 100 < shadow.declared.percent else None

    def compared(self, way: Way) -> Callable[[bool], None]:
        """To be told of each picture whether the shadow agreed; it is held against a canary of the same version too."""
        assert way.model
        shadow, canary = self._trials.shadow_of(way.model), way.canary

        def compared(agreed: bool) -> None:
            if shadow:
                shadow.pairs.add(not agreed)
            if canary and shadow and canary.version == shadow.version:
                canary.pairs.add(not agreed)
                self._trials.judge(canary)

        return compared

    def _observe(self, way: Way, outcome: str, seconds: float, why: Exception | None) -> None:
        """Counts a call of a trial; `why` it failed, where anybody said."""
        assert way.model
        version = way.canary.version if way.canary and way.on_trial else way.model.stable_version
        arm = "canary" if way.on_trial else "stable"
        self._metrics.canary_duration.labels(way.model.name, version, arm, outcome).observe(seconds)
        if way.canary:
            count = way.canary.canary if way.on_trial else way.canary.stable
            count.add(outcome == "failed")
            if way.on_trial and why:
                way.canary.last_failure = f"{type(why).__name__}: {why}"[:_TOLD]
            self._trials.judge(way.canary)
