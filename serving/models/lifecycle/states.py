"""The life of one version of a model, and what comes next in it. Pure decisions over numbers.

The states are TensorFlow Serving's (tensorflow_serving/apis/get_model_status.proto), and so are its two ways to change
versions: availability preserving and resource preserving.
"""

import enum
from collections.abc import Set
from typing import Literal, NamedTuple

Availability = Literal["preserving", "resource_preserving"]
"""preserving: new versions are ready before old ones go. resource_preserving: old ones go first, since there is no
memory for both, and meanwhile nobody answers."""


class State(enum.IntEnum):
    """Where a version is, numbered as TensorFlow Serving does."""

    START = 10
    """Found, and not looked into yet."""
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    """Takes no new calls; those it has are answered."""
    END = 50
    """Gone, or never there for the reason that its status gives."""


class VersionStatus(NamedTuple):
    """What is known of a version."""

    version: int
    state: State
    error: str = ""
    """Why it is not served, or not as models.yaml says now; empty where there is nothing to say."""


class Loaded(NamedTuple):
    """The versions of a model that take memory."""

    current: Set[int]
    """Ready, as they are declared now."""
    outdated: Set[int] = frozenset()
    """Ready, as they were declared before."""
    unloading: Set[int] = frozenset()

    @property
    def ready(self) -> Set[int]:
        return self.current | self.outdated


class Step(NamedTuple):
    """What to do next with the versions of a model."""

    unload: Set[int] = frozenset()
    load: int | None = None


def next_step(aspired: Set[int], failed: Set[int], loaded: Loaded, availability: Availability = "preserving") -> Step:
    """The step that brings a model closer to its `aspired` versions, of which those that `failed` are not tried again.

    Newest first. Where availability is preserved, nothing unloads while anything is still to be loaded: who names no
    version would meanwhile be answered by one older than before.
    """
    missing = aspired - loaded.current - failed
    superfluous = loaded.ready - aspired
    if availability == "resource_preserving":
        if superfluous or (missing & loaded.outdated):
            return Step(unload=superfluous | (missing & loaded.outdated))
        return Step(load=max(missing) if missing and not loaded.unloading else None)
    return Step(load=max(missing)) if missing else Step(unload=superfluous)
