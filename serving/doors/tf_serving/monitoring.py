"""TensorFlow Serving's own metrics, so that dashboards made for it find theirs: names, labels, units and buckets are
those of tensorflow_serving/servables/tensorflow/util.cc.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

PATH = "/monitoring/prometheus/metrics"

_COUNT = ":tensorflow:serving:request_count"
_MICROSECONDS = [10 * 1.8**step for step in range(33)]


_RUNTIME = "TF1"
"""What TensorFlow Serving calls its own runtime, unless it was set to another: the name that dashboards look for."""


class Monitoring:
    """Counts the calls of TensorFlow Serving's APIs, and no others."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._count = Counter(
            _COUNT, "The total number of requests.", ("model_name", "status"), registry=self._registry
        )
        self._latency = Histogram(
            ":tensorflow:serving:request_latency",
            "Distribution of wall time (in microseconds) for requests that were answered.",
            ("model_name", "API", "entrypoint"),
            buckets=_MICROSECONDS,
            registry=self._registry,
        )

        self._runtime_latency = Histogram(
            ":tensorflow:serving:runtime_latency",
            "Distribution of wall time (in microseconds) for signatures and batches that calls waited for.",
            ("model_name", "API", "runtime"),
            buckets=_MICROSECONDS,
            registry=self._registry,
        )

    def ran(self, model: str, api: str, seconds: float) -> None:
        """For a call of `api`, a signature or a batch of `model` gave its outputs so long after it was asked."""
        self._runtime_latency.labels(model, api, _RUNTIME).observe(seconds * 1e6)

    def ended(self, model: str, api: str, entrypoint: str, status: str, seconds: float) -> None:
        """A call ended with `status`, a gRPC status' name."""
        self._count.labels(model, status).inc()
        if status == "OK":
            self._latency.labels(model, _spelt(api, entrypoint), entrypoint).observe(seconds * 1e6)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        # The library ends every counter's name in _total, as is today's custom.
        return generate_latest(self._registry).replace(f"{_COUNT}_total".encode(), _COUNT.encode())


def _spelt(api: str, entrypoint: str) -> str:
    """As TensorFlow Serving does: over REST, by the verb in the path."""
    return api.lower() if entrypoint == "REST" else api
