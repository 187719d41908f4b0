"""What a network can be run by: in this process, and by the same name in a server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from serving.cores import cores
from serving.errors import ModelRejected
from serving.models import card as cards
from serving.models.engines.loading import EngineLoader
from serving.models.engines.tensorflow import TensorFlowEngine
from tests.benchmarks import bare


@dataclass(frozen=True, eq=False)
class Choice:
    """An engine and a precision."""

    words: str
    settings: Mapping[str, str]
    """Of a server."""
    load: Callable[[Path], cards.Engine]
    """From a version's directory, in this process."""


REFERENCE = Choice(
    "TensorFlow float32",
    {"engine": "tensorflow", "precision": "float32"},
    partial(TensorFlowEngine, threads=cores()),
)
_ROWS = 32
OTHERS = tuple(
    Choice(
        f"OpenVINO {precision}",
        {"engine": "openvino", "precision": precision},
        EngineLoader("openvino", precision, threads=cores()),
    )
    for precision in ("float32", "int8")
)


def best(version: Path) -> Choice:
    """The choice that gives most rows a second of those that are installed and pass the card of `version`."""
    card = cards.read(version)
    rates = {}
    for choice in (REFERENCE, *OTHERS):
        try:
            engine = cards.validate(card, version, choice.load)
        except ModelRejected as error:
            print(f"{choice.words} is not measured: {error}")
        else:
            rates[choice] = bare.rows_per_second(engine, card, _ROWS)
    return max(rates, key=rates.__getitem__)
