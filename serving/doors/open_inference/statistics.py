"""What Triton calls a model's statistics: counts, and durations in nanoseconds, of the requests of this protocol."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from protos import open_inference_pb2 as pb
from serving.metrics import Metrics
from serving.pipeline.answer import Seconds

Count = Callable[[str, int, Seconds, float], None]


class Statistics:
    """Of every model, ensemble and version that was asked. All of it on the event loop."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._models: dict[tuple[str, str], pb.ModelStatistics] = {}

    @contextmanager
    def counting(self, name: str, version: str) -> Iterator[Count]:
        """Counts the block as a request: as one of `version` that failed, unless it calls what it is given with the
        version that answered, how many pictures or rows, where the time went, and the seconds that the answer's tensors
        took.
        """
        arrived = self._clock()
        ended = self._of(name, version).inference_stats.fail

        def count(answering: str, inferences: int, seconds: Seconds, output_seconds: float) -> None:
            nonlocal ended
            model = self._of(name, answering)
            stats = model.inference_stats
            ended = stats.success
            model.inference_count += inferences
            model.last_inference = time.time_ns() // 1_000_000
            _add(stats.compute_input, seconds.decode)
            _add(stats.queue, seconds.queue)
            _add(stats.compute_infer, seconds.compute)
            _add(stats.compute_output, output_seconds)

        try:
            yield count
        finally:
            _add(ended, self._clock() - arrived)

    def of(self, versions: Mapping[str, list[str]]) -> pb.ModelStatisticsResponse:
        """Of these versions of these models."""
        batches = _batches(self._metrics)
        response = pb.ModelStatisticsResponse()
        for name, its_versions in versions.items():
            for version in its_versions:
                model = response.model_stats.add()
                model.CopyFrom(self._models.get((name, version), pb.ModelStatistics(name=name, version=version)))
                model.execution_count = batches.get((name, version), 0)
        return response

    def _of(self, name: str, version: str) -> pb.ModelStatistics:
        return self._models.setdefault((name, version), pb.ModelStatistics(name=name, version=version))


def _add(duration: pb.StatisticDuration, seconds: float) -> None:
    duration.count += 1
    duration.ns += int(seconds * 1e9)


def _batches(metrics: Metrics) -> dict[tuple[str, str], int]:
    """How many each version has run."""
    samples = [sample for family in metrics.batch_rows.collect() for sample in family.samples]
    return {
        (sample.labels["model"], sample.labels["version"]): int(sample.value)
        for sample in samples
        if sample.name.endswith("_count")
    }
