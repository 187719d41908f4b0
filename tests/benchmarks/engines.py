"""What a network can be run by: in this process, and by the same name in a server."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from serving.models import card as cards
from serving.models.engines.tensorflow import TensorFlowEngine
from tests.benchmarks import bare


class Choice(NamedTuple):
    """An engine and a precision."""

    words: str
    settings: Mapping[str, str]
    """Of a server."""
    load: Callable[[Path], cards.Engine]
    """From a version's directory, in this process."""


REFERENCE = Choice("TensorFlow float32", {"engine": "tensorflow", "precision": "float32"}, TensorFlowEngine)
_ROWS = 32
OTHERS: tuple[Choice, ...] = ()


def best(version: Path) -> Choice:
    """The choice that gives most rows a second of those that pass the card of `version`."""
    card = cards.read(version)
    rates = {
        choice.words: bare.rows_per_second(cards.validate(card, version, choice.load), card, _ROWS)
        for choice in (REFERENCE, *OTHERS)
    }
    return max((REFERENCE, *OTHERS), key=lambda choice: rates[choice.words])
