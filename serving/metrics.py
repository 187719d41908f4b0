"""Every metric of the server, declared in one place and served at /metrics.

An instance holds its own registry, so that two servers in one process do not mix.
"""

from collections.abc import Callable
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

# A LeNet-5 answer takes about a millisecond, ten views of a ResNet-50 about a second: three buckets
# to the factor of ten in between, and room on both sides.
_REQUEST_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
# Stages start where a vote over ten classes ends: tens of microseconds.
_STAGE_BUCKETS = (0.00002, 0.00005, 0.0001, 0.0002, *_REQUEST_BUCKETS)
_ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

STAGES = ("decode", "view", "queue", "compute", "vote")


class Metrics:
    """What the server counts. Attribute and metric names agree, less the prefix and the unit."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.request_duration = Histogram(
            "tencrop_request_duration_seconds",
            "From a request's arrival to its answer or failure. Status is the gRPC status; "
            "model is empty where the request named none that is served; views is how many crops voted, dense, boxes, "
            "rows, 0 where it was not answered, or empty for calls of TensorFlow Serving's protocol.",
            ("method", "model", "views", "status"),
            buckets=_REQUEST_BUCKETS,
            registry=self.registry,
        )
        self.stage_duration = Histogram(
            "tencrop_stage_duration_seconds",
            f"Time a request spent in a stage: {', '.join(STAGES)}.",
            ("stage",),
            buckets=_STAGE_BUCKETS,
            registry=self.registry,
        )
        self.batch_rows = Histogram(
            "tencrop_batch_rows",
            "Rows of callers in a batch, padding not counted.",
            ("model", "version"),
            buckets=_ROW_BUCKETS,
            registry=self.registry,
        )
        self.padding_rows = Counter(
            "tencrop_padding_rows_total",
            "Black rows added to reach an allowed batch size.",
            ("model", "version"),
            registry=self.registry,
        )
        self.queue_rows = Gauge(
            "tencrop_queue_rows",
            "Rows that wait for a batch now.",
            ("model", "version"),
            registry=self.registry,
        )
        self.dropped_rows = Counter(
            "tencrop_dropped_rows_total",
            "Rows that left the queue uncomputed: their caller had gone or their deadline had passed.",
            ("model", "version"),
            registry=self.registry,
        )
        self.rows_for_nobody = Counter(
            "tencrop_rows_for_nobody_total",
            "Rows that were computed although their caller had gone meanwhile.",
            ("model", "version"),
            registry=self.registry,
        )
        self.rejections = Counter(
            "tencrop_rejections_total",
            "Requests that were not answered, by the class of error in serving/errors.py.",
            ("reason",),
            registry=self.registry,
        )
        self.model_loaded = Gauge(
            "tencrop_model_loaded",
            "1 for each model version that is ready.",
            ("model", "version"),
            registry=self.registry,
        )
        self.model_failed = Gauge(
            "tencrop_model_failed",
            "1 for each model version on disk that could not be loaded; ListModels and the log say why.",
            ("model", "version"),
            registry=self.registry,
        )
        self.predictions = Counter(
            "tencrop_predictions_total",
            "Answers by the label that won; of those that abstain it is empty.",
            ("model", "label"),
            registry=self.registry,
        )
        self.stepped_down = Counter(
            "tencrop_stepped_down_total",
            "Requests looked at with fewer views than they asked for, under pressure; views is how many.",
            ("model", "views"),
            registry=self.registry,
        )
        self.absent_members = Counter(
            "tencrop_absent_members_total",
            "Members without whom an ensemble answered, by the reason: late or failed.",
            ("model", "member", "reason"),
            registry=self.registry,
        )
        self.cache_hits = Counter(
            "tencrop_cache_hits_total",
            "Requests that were answered from the cache.",
            registry=self.registry,
        )
        self.cache_misses = Counter(
            "tencrop_cache_misses_total",
            "Requests whose answer was looked for in the cache, and was not there.",
            registry=self.registry,
        )
        self.cache_bytes = Gauge(
            "tencrop_cache_bytes",
            "Memory that the answers in the cache take.",
            registry=self.registry,
        )
        self.canary_duration = Histogram(
            "tencrop_canary_duration_seconds",
            "Of models with a version on trial, from a call's arrival to its answer or failure: arm is stable, canary "
            "or shadow, outcome is answered or failed.",
            ("model", "version", "arm", "outcome"),
            buckets=_REQUEST_BUCKETS,
            registry=self.registry,
        )
        self.canary_copies = Counter(
            "tencrop_canary_copies_total",
            "Pictures that a shadow was asked about too; outcome is agreed, disagreed, failed, or dropped.",
            ("model", "version", "outcome"),
            registry=self.registry,
        )
        self.canary_rollback = Gauge(
            "tencrop_canary_rollback",
            "1 for a canary that is rolled back, 0 for one that gets its calls.",
            ("model", "version"),
            registry=self.registry,
        )
        self.request_log_records = Counter(
            "tencrop_request_log_records_total",
            "Calls of the sample that the request log keeps: outcome is written, dropped or failed.",
            ("outcome",),
            registry=self.registry,
        )
        self.store_up = Gauge(
            "tencrop_store_up",
            "1 while the store of models answers, 0 during an outage, through which mirrored models are served.",
            ("store",),
            registry=self.registry,
        )
        self.store_fetched_bytes = Counter(
            "tencrop_store_fetched_bytes_total", "Bytes read from the store.", ("store",), registry=self.registry
        )
        self.store_refused_versions = Gauge(
            "tencrop_store_refused_versions",
            "Versions in the store that are not mirrored: no models, not readable, or without room.",
            ("store",),
            registry=self.registry,
        )
        self._of_versions = (
            self.batch_rows,
            self.padding_rows,
            self.queue_rows,
            self.dropped_rows,
            self.rows_for_nobody,
            self.model_loaded,
            self.canary_rollback,
        )
        self._decode, self._view, self._queue, self._compute, self._vote = map(self.stage_duration.labels, STAGES)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The text that Prometheus scrapes and its content type, in the format that the Accept header prefers."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def prepared(self, decode: float, view: float) -> None:
        """The rows of a request are there; how long that took, in seconds."""
        self._decode.observe(decode)
        self._view.observe(view)

    def decided(self, queue: float, compute: float, vote: float) -> None:
        """A vote was held; how long that took, in seconds."""
        self._queue.observe(queue)
        self._compute.observe(compute)
        self._vote.observe(vote)

    def answered(self, model: str, label: str) -> None:
        """A request was answered with `label`, from the cache or not."""
        self.predictions.labels(model, label).inc()

    def version_ready(self, model: str, version: int, queued_rows: Callable[[], int]) -> None:
        """A version answers; the depth of its queue is read at every scrape."""
        self.queue_rows.labels(model, version).set_function(queued_rows)
        self.model_loaded.labels(model, version).set(1)

    def version_failed(self, model: str, version: int) -> None:
        """A version could not be loaded."""
        self.model_failed.labels(model, version).set(1)

    def version_forgiven(self, model: str, version: int) -> None:
        """That it could not be loaded counts no more."""
        self.model_failed.remove(model, version)

    def version_gone(self, model: str, version: int) -> None:
        """Nothing is left of a version, so that metrics do not grow with every one that comes and goes."""
        for metric in self._of_versions:
            metric.remove(model, version)
        for arm, outcome in product(("stable", "canary", "shadow"), ("answered", "failed")):
            self.canary_duration.remove(model, version, arm, outcome)
        for outcome in ("agreed", "disagreed", "failed", "dropped"):
            self.canary_copies.remove(model, version, outcome)

    def queue_observer(self, model: str, version: int) -> "QueueMetrics":
        """What a batch queue reports to."""
        return QueueMetrics(self, model, version)

    def canary_rolled_back(self, model: str, version: int, rolled_back: bool) -> None:
        """Whether a canary is rolled back; trials.Observer."""
        self.canary_rollback.labels(model, version).set(rolled_back)

    def canary_ended(self, model: str, version: int) -> None:
        """It is none any more; trials.Observer."""
        self.canary_rollback.remove(model, version)

    def recorded(self, outcome: str) -> None:
        """What became of a call for the request log; recorder.Observer."""
        self.request_log_records.labels(outcome).inc()

    def store_observer(self, address: str) -> "StoreMetrics":
        """What the keeper of a mirror reports to."""
        return StoreMetrics(self, address)


class QueueMetrics:
    """The counters of one batch queue, looked up once; a batch_queue.Observer."""

    def __init__(self, metrics: Metrics, model: str, version: int) -> None:
        self._batch_rows = metrics.batch_rows.labels(model, version)
        self._padding_rows = metrics.padding_rows.labels(model, version)
        self._dropped_rows = metrics.dropped_rows.labels(model, version)
        self._rows_for_nobody = metrics.rows_for_nobody.labels(model, version)

    def batch_started(self, rows: int, padding: int) -> None:
        """A batch of `rows` rows and `padding` more went to the engine."""
        self._batch_rows.observe(rows)
        self._padding_rows.inc(padding)

    def rows_dropped(self, rows: int) -> None:
        """Rows were withdrawn before they were computed."""
        self._dropped_rows.inc(rows)

    def rows_computed_for_nobody(self, rows: int) -> None:
        """Rows were computed too late."""
        self._rows_for_nobody.inc(rows)


class StoreMetrics:
    """The metrics of one store; a keeper.Observer."""

    def __init__(self, metrics: Metrics, address: str) -> None:
        self._up = metrics.store_up.labels(address)
        self._fetched_bytes = metrics.store_fetched_bytes.labels(address)
        self._refused_versions = metrics.store_refused_versions.labels(address)

    def bytes_fetched(self, count: int) -> None:
        """So many bytes more were read."""
        self._fetched_bytes.inc(count)

    def store_answered(self, refused_versions: int) -> None:
        """A round ended well, but for so many versions that are no models."""
        self._up.set(1)
        self._refused_versions.set(refused_versions)

    def store_failed(self) -> None:
        """A round did not end well."""
        self._up.set(0)
