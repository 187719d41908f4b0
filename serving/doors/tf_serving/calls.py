"""Counts TensorFlow Serving's calls, in our metrics and in its own."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc

from serving.doors.statuses import code_of
from serving.doors.tf_serving.monitoring import Monitoring
from serving.metrics import Metrics
from serving.models.repository import Repository


class Calls:
    """What both entrypoints, GRPC and REST, report to."""

    def __init__(self, repository: Repository, metrics: Metrics, clock: Callable[[], float]) -> None:
        self.monitoring = Monitoring()
        self.clock = clock
        self._repository = repository
        self._metrics = metrics

    @contextmanager
    def running(self, api: str, model: str) -> Iterator[None]:
        """The block is what a signature or a batch of `model` takes, for a call of `api`; counted unless it raises."""
        began = self.clock()
        yield
        self.monitoring.ran(model, api, self.clock() - began)

    @contextmanager
    def counted(self, api: str, entrypoint: str, model: str, deadline: float = math.inf) -> Iterator[None]:
        """The block is a call of `api` to `model`; what it raises is passed on. `deadline` is a moment on the clock."""
        arrived = self.clock()
        name = model if model in self._repository.names else ""  # callers may make up any number of others
        code = grpc.StatusCode.CANCELLED
        try:
            yield
            code = grpc.StatusCode.OK
        except Exception as error:
            self._metrics.rejections.labels(type(error).__name__).inc()
            code = code_of(error)
            raise
        finally:
            now = self.clock()
            if code is grpc.StatusCode.CANCELLED and now >= deadline:
                code = grpc.StatusCode.DEADLINE_EXCEEDED  # for which gRPC cancels as well
            seconds = now - arrived
            self._metrics.request_duration.labels(f"tensorflow.serving/{api}", name, "", code.name).observe(seconds)
            self.monitoring.ended(name, api, entrypoint, code.name, seconds)
