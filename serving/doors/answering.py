"""What every protocol of ours does with a request: asks the pipeline, and counts how that ended."""

from collections.abc import Callable

import grpc

from protos import classification_pb2 as pb
from serving.doors.messages import to_response
from serving.doors.statuses import Refusal, status_of
from serving.errors import InvalidRequest
from serving.metrics import Metrics
from serving.models.repository import Repository
from serving.pipeline.plans import views_label
from serving.pipeline.surface import Pipeline
from serving.request_log.recorder import Recorder

Outcome = pb.ClassifyResponse | Refusal


class Answering:
    """Answers requests of protos/classification.proto."""

    def __init__(
        self,
        classifier: Pipeline,
        repository: Repository,
        metrics: Metrics,
        clock: Callable[[], float],
        recorder: Recorder | None = None,
    ) -> None:
        """`recorder` keeps a sample of the calls."""
        self._classifier = classifier
        self._repository = repository
        self._metrics = metrics
        self._clock = clock
        self._recorder = recorder

    async def outcome(self, method: str, request: pb.ClassifyRequest | InvalidRequest, deadline: float) -> Outcome:
        """The answer to one request, or its status; counted either way, and where it is cancelled.

        `request` is the error that says so where none could be read. `deadline` is a moment on the clock.
        """
        arrived = self._clock()
        model, views, code = "", "0", grpc.StatusCode.CANCELLED
        try:
            if isinstance(request, InvalidRequest):
                raise request
            model = request.model.name if request.model.name in self._repository.names else ""
            answer = await self._classifier.classify(request, deadline)
            model, views, code = answer.ensemble.name, views_label(answer.views), grpc.StatusCode.OK
            return self._recorded(method, request, to_response(answer, request), arrived)
        except Exception as error:
            self._metrics.rejections.labels(type(error).__name__).inc()
            refusal = status_of(error)
            code = refusal.code
            return self._recorded(method, request, refusal, arrived)
        finally:
            if code is grpc.StatusCode.CANCELLED and self._clock() >= deadline:
                code = grpc.StatusCode.DEADLINE_EXCEEDED  # for which gRPC and HTTP cancel as well
            self._metrics.request_duration.labels(method, model, views, code.name).observe(self._clock() - arrived)

    def _recorded(
        self, method: str, request: pb.ClassifyRequest | InvalidRequest, outcome: Outcome, arrived: float
    ) -> Outcome:
        """`outcome`, kept in the request log if there is one."""
        if self._recorder and isinstance(request, pb.ClassifyRequest):
            kept = outcome.as_status() if isinstance(outcome, Refusal) else outcome
            self._recorder.keep(method, request, kept, self._clock() - arrived)
        return outcome
