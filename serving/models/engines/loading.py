"""The engine that a version gets: the one that is asked for, or the fastest there is."""

import time
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

import numpy as np

from protos.model_card_pb2 import ModelCard
from serving.cores import cores
from serving.errors import ModelRejected
from serving.models import card as cards
from serving.models.engines.choice import Load, Trial, choose
from serving.models.engines.engine import Engine, Precision
from serving.models.engines.memory import FileMemory, processor
from serving.models.engines.names import EngineName, PrecisionName
from serving.models.engines.operations import NO_TRUST, Trust
from serving.models.engines.outline import outline
from serving.models.engines.runtime import import_runtime
from serving.models.engines.safety import check_safety

_INSTALL = 'Install it (pip install "tencrop[openvino]"), or serve the model with engine: tensorflow'


@dataclass(frozen=True)
class EngineLoader:
    """Makes the engine of a version, from its directory."""

    engine: EngineName = "auto"
    precision: PrecisionName = "published"
    threads: int = 1
    """That one operation may use."""
    streams: int = 1
    """Batches that may run side by side, where the engine can."""
    batch_sizes: tuple[int, ...] = (1, 64)
    """That matter where speed is compared."""
    trust: Trust = NO_TRUST
    """Beyond operations that are safe."""

    def __call__(self, directory: Path) -> Engine:
        """Raises ModelRejected where the graph may do more than compute, or what is asked for is not installed, or is
        not what the version can be run by.
        """
        check_safety(directory, self.trust)
        card = cards.read(directory)
        precision = published_precision(card) if self.precision == "published" else self.precision
        candidates = {name: self._load(name, directory, card, precision) for name in self._names(precision)}
        if len(candidates) == 1:
            return next(iter(candidates.values()))()
        shape = (card.input.height, card.input.width, card.input.channels)
        batches = [np.zeros((size, *shape), np.uint8) for size in self.batch_sizes]
        trial = Trial(lambda engine: cards.check_golden_inputs(card, engine), batches, time.perf_counter)
        memory = FileMemory(directory, self._circumstances(directory, precision, list(candidates)))
        return choose(f"{directory.parent.name} {directory.name}", candidates, trial, memory)

    def _names(self, precision: Precision) -> list[str]:
        """Who may run the version. Raises ModelRejected."""
        if self.engine == "tensorflow":
            return ["tensorflow"]
        openvino = util.find_spec("openvino") is not None
        if not openvino and (self.engine == "openvino" or precision == "int8"):
            raise ModelRejected(
                f"{precision} by engine {self.engine} needs OpenVINO, which is not installed. {_INSTALL}."
            )
        others = ["tensorflow"] if self.engine == "auto" and precision != "int8" else []
        return [*others, "openvino"] if openvino else others

    def _load(self, name: str, directory: Path, card: ModelCard, precision: Precision) -> Load:
        def load() -> Engine:
            if name == "tensorflow":
                import_runtime()
                from serving.models.engines.tensorflow import TensorFlowEngine

                return TensorFlowEngine(directory, precision, threads=self.threads)
            from serving.models.engines.openvino import OpenVINOEngine

            return OpenVINOEngine(_network(directory, card, precision), precision, self.threads, self.streams)

        return load

    def _circumstances(self, directory: Path, precision: Precision, names: list[str]) -> dict[str, object]:
        """Where these are the same, the same engine is fastest."""
        return {
            "network": outline(directory),
            "engines": {name: metadata.version(name) for name in names},
            "processor": processor(),
            "precision": precision,
            "threads": self.threads,
            "streams": self.streams,
            "batch_sizes": list(self.batch_sizes),
        }


def published_precision(card: ModelCard) -> Precision:
    """What the version was measured in."""
    return "int8" if card.HasField("quantization") else "float32"


def load_dense(directory: Path, threads: int) -> Engine:
    """The engine of the signature that takes pictures of any size, which TensorFlow runs. Raises ModelRejected."""
    import_runtime()
    from serving.models.engines.tensorflow import dense_engine

    return dense_engine(directory, threads)


def measured_with(directory: Path) -> Engine:
    """The engine that a version's errors are measured with: TensorFlow, or OpenVINO for a quantised one."""
    quantised = published_precision(cards.read(directory)) == "int8"
    return EngineLoader("openvino" if quantised else "tensorflow", threads=cores())(directory)


def _network(directory: Path, card: ModelCard, precision: Precision) -> Path:
    """The file that OpenVINO reads. Raises ModelRejected where there is none in that precision."""
    if precision != "int8":
        return directory
    if not card.HasField("quantization"):
        raise ModelRejected(
            f"What is served in int8 was quantised; {directory} was not. Write a version that is with "
            "`tencrop quantize`, or serve it with precision: published."
        )
    return directory / card.quantization.network
