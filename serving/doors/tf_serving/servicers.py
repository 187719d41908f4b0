"""tensorflow.serving.PredictionService and ModelService over gRPC.

A request may be the InvalidRequest that bodies.py gives.
"""

import math
from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio
from google.protobuf.message import Message

from serving.doors.drain import STOPPING, Drain
from serving.doors.statuses import status_of
from serving.doors.tf_serving import predictions
from serving.doors.tf_serving.apis import model_management_pb2
from serving.doors.tf_serving.calls import Calls
from serving.doors.tf_serving.inference import Inference
from serving.errors import Forbidden, InvalidRequest
from serving.models.lifecycle.configuration import Configuration
from serving.models.repository import Repository
from serving.pipeline.prediction import Predictor
from serving.pipeline.router import Router

Work = Callable[[Any, float], Awaitable[Message]]

_RELOAD = (
    "This port takes questions. What is served is changed on the administration port, 8502 unless it was set "
    "otherwise, by this very call or by `tencrop models`; versions that appear on disk need no such call."
)


class PredictionServicer:
    """Every method, unary."""

    def __init__(
        self,
        inference: Inference,
        router: Router,
        predictor: Predictor,
        repository: Repository,
        calls: Calls,
        drain: Drain,
    ) -> None:
        """While `drain` stops, new calls are refused."""
        self._inference = inference
        self._router = router
        self._predictor = predictor
        self._repository = repository
        self._calls = calls
        self._drain = drain

    async def Predict(self, request: Any, context: grpc.aio.ServicerContext) -> Message:
        return await self._answer("Predict", request, context, self._predict)

    async def Classify(self, request: Any, context: grpc.aio.ServicerContext) -> Message:
        return await self._answer("Classify", request, context, self._inference.classify)

    async def Regress(self, request: Any, context: grpc.aio.ServicerContext) -> Message:
        return await self._answer("Regress", request, context, self._inference.regress)

    async def MultiInference(self, request: Any, context: grpc.aio.ServicerContext) -> Message:
        return await self._answer("MultiInference", request, context, self._inference.multi_inference)

    async def GetModelMetadata(self, request: Any, context: grpc.aio.ServicerContext) -> Message:
        return await _tell(request, context, lambda: predictions.metadata(self._repository, request))

    async def _predict(self, request: Any, deadline: float) -> Message:
        return await predictions.predict(
            self._router, self._predictor, self._repository, self._calls, request, deadline
        )

    async def _answer(self, api: str, request: Any, context: grpc.aio.ServicerContext, work: Work) -> Message:
        """What `work` makes of `request`, counted; or its status."""
        if self._drain.stopping.is_set():
            await status_of(STOPPING).abort(context)
        remaining = context.time_remaining()
        deadline = math.inf if remaining is None else self._calls.clock() + remaining
        try:
            with self._drain.call(), self._calls.counted(api, "GRPC", _model_of(request), deadline):
                if isinstance(request, InvalidRequest):
                    raise request
                return await work(request, deadline)
        except Exception as error:
            await status_of(error).abort(context)
            raise AssertionError("abort raises") from error


class ModelServicer:
    """What is served; and changes of it, on the port that takes them."""

    def __init__(self, repository: Repository, configuration: Configuration | None = None) -> None:
        """`configuration` is what a reload replaces; without one, reloads are refused."""
        self._repository = repository
        self._configuration = configuration

    async def GetModelStatus(self, request: Any, context: grpc.aio.ServicerContext) -> Message:
        return await _tell(request, context, lambda: predictions.status(self._repository, request))

    async def HandleReloadConfigRequest(self, request: Any, context: grpc.aio.ServicerContext) -> Message:
        """The status in the answer is the call's own, OK."""
        try:
            if self._configuration is None:
                raise Forbidden(_RELOAD)
            if isinstance(request, InvalidRequest):
                raise request
            await self._configuration.reload(request.config)
            return model_management_pb2.ReloadConfigResponse()
        except Exception as error:
            await status_of(error).abort(context)
            raise AssertionError("abort raises") from error


def _model_of(request: Any) -> str:
    """The model that a request names; of several tasks, the first's."""
    if isinstance(request, InvalidRequest):
        return ""
    asked = request.tasks[0] if hasattr(request, "tasks") and request.tasks else request
    return asked.model_spec.name if hasattr(asked, "model_spec") else ""


async def _tell(request: Any, context: grpc.aio.ServicerContext, what: Callable[[], Message]) -> Message:
    try:
        if isinstance(request, InvalidRequest):
            raise request
        return what()
    except Exception as error:
        await status_of(error).abort(context)
        raise AssertionError("abort raises") from error
