"""What Triton calls a model's statistics: counts, and durations in nanoseconds, of the requests of this protocol."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from protos import open_inference_pb2 as pb
from serving.doors.open_inference.outcome import Outcome
from serving.metrics import Metrics

Count = Callable[[Outcome], None]

_NO_VERSION = "0"
"""Of an ensemble, here alone: perf_analyzer reads versions as numbers, and ends where one is none."""


class Statistics:
    """Of every model, ensemble and version that was asked. All of it on the event loop."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._models: dict[tuple[str, str], pb.ModelStatistics] = {}

    @contextmanager
    def counting(self, name: str, version: str) -> Iterator[Count]:
        """Counts the block as a request: as one of `version` that failed, unless it calls what it is given with what
        came of it.
        """
        arrived = self._clock()
        ended = self._of(name, version).inference_stats.fail

        def count(outcome: Outcome) -> None:
            nonlocal ended
            model = self._of(name, outcome.version)
            stats = model.inference_stats
            ended = stats.success
            model.inference_count += outcome.inferences
            model.execution_count += outcome.executions
            model.last_inference = time.time_ns() // 1_000_000
            _add(stats.compute_input, outcome.seconds.decode)
            _add(stats.queue, outcome.seconds.queue)
            _add(stats.compute_infer, outcome.seconds.compute)
            _add(stats.compute_output, outcome.output_seconds)
            if outcome.cached:
                _add(stats.cache_hit, self._clock() - arrived)

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
                model.CopyFrom(self._models.get((name, version)) or _nothing_of(name, version))
                model.execution_count += batches.get((name, version), 0)
        return response

    def _of(self, name: str, version: str) -> pb.ModelStatistics:
        return self._models.setdefault((name, version), _nothing_of(name, version))


def _nothing_of(name: str, version: str) -> pb.ModelStatistics:
    """Every field is there, since clients over HTTP read it unasked."""
    durations = {field.name: pb.StatisticDuration() for field in pb.InferStatistics.DESCRIPTOR.fields}
    stats = pb.InferStatistics(**durations)
    return pb.ModelStatistics(name=name, version=version or _NO_VERSION, inference_stats=stats)


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
