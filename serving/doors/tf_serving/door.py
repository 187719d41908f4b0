"""All of TensorFlow Serving's protocol, to be hung into a server: its services over gRPC, its paths over HTTP."""

from collections.abc import Callable

from serving.doors.bodies import handlers_of
from serving.doors.drain import Drain
from serving.doors.tf_serving.apis import MODEL_SERVICE, PREDICTION_SERVICE
from serving.doors.tf_serving.calls import Calls
from serving.doors.tf_serving.inference import Inference
from serving.doors.tf_serving.rest import rest_router
from serving.doors.tf_serving.servicers import ModelServicer, PredictionServicer
from serving.metrics import Metrics
from serving.models.repository import Repository
from serving.pipeline.prediction import Predictor
from serving.pipeline.router import Router
from serving.pipeline.surface import Pipeline


class TensorFlowServingDoor:
    """`handlers` of gRPC for the `services` named, and a `router` of HTTP."""

    services = (PREDICTION_SERVICE.full_name, MODEL_SERVICE.full_name)

    def __init__(
        self,
        classifier: Pipeline,
        router: Router,
        predictor: Predictor,
        repository: Repository,
        metrics: Metrics,
        clock: Callable[[], float],
        drain: Drain,
    ) -> None:
        calls = Calls(repository, metrics, clock)
        inference = Inference(classifier, router, predictor, repository, calls)
        self.handlers = (
            handlers_of(PREDICTION_SERVICE, PredictionServicer(inference, router, predictor, repository, calls, drain)),
            handlers_of(MODEL_SERVICE, ModelServicer(repository)),
        )
        self.router = rest_router(inference, router, predictor, repository, calls)
