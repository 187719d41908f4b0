"""Every protocol that the public ports speak, over one pipeline; and what others than ours have for administrators."""

from collections.abc import Callable

import grpc

from protos import classification_pb2, open_inference_pb2
from serving.doors.answering import Answering
from serving.doors.bodies import handlers_of
from serving.doors.classification import ClassificationDoor
from serving.doors.drain import Drain
from serving.doors.open_inference.administration import OpenInferenceAdministrationDoor
from serving.doors.open_inference.inference import Inference
from serving.doors.open_inference.rest import open_inference_router
from serving.doors.open_inference.servicer import OpenInferenceDoor
from serving.doors.open_inference.statistics import Statistics
from serving.doors.rest.classify import classify_router
from serving.doors.tf_serving.apis import MODEL_SERVICE
from serving.doors.tf_serving.door import TensorFlowServingDoor
from serving.doors.tf_serving.servicers import ModelServicer
from serving.metrics import Metrics
from serving.models.lifecycle.administrator import Administrator
from serving.models.lifecycle.configuration import Configuration
from serving.models.repository import Repository
from serving.pipeline.prediction import Predictor
from serving.pipeline.router import Router
from serving.pipeline.surface import Pipeline

_CLASSIFICATION = classification_pb2.DESCRIPTOR.services_by_name["Classification"]
_OPEN_INFERENCE = open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]


class Protocols:
    """`handlers` of gRPC for the `services` named, and `routers` of HTTP."""

    services = (_CLASSIFICATION.full_name, *TensorFlowServingDoor.services, _OPEN_INFERENCE.full_name)

    def __init__(
        self,
        classifier: Pipeline,
        router: Router,
        predictor: Predictor,
        repository: Repository,
        metrics: Metrics,
        clock: Callable[[], float],
        stream_window: int,
        drain: Drain,
    ) -> None:
        """`stream_window` is the number of requests of one stream that are worked on at a time."""
        answering = Answering(classifier, repository, metrics, clock)
        ours = ClassificationDoor(answering, repository, clock, stream_window, drain)

        tf_serving = TensorFlowServingDoor(classifier, router, predictor, repository, metrics, clock, drain)

        statistics = Statistics(metrics, clock)
        inference = Inference(classifier, router, predictor, repository, metrics, statistics, clock, stream_window)
        open_inference = OpenInferenceDoor(inference, statistics, repository, clock, drain, stream_window)

        self.handlers = (
            handlers_of(_CLASSIFICATION, ours),
            *tf_serving.handlers,
            handlers_of(_OPEN_INFERENCE, open_inference),
        )
        self.routers = (
            classify_router(answering, repository, clock),
            tf_serving.router,
            open_inference_router(inference, statistics, repository, drain),
        )


def handlers_for_administrators(
    administrator: Administrator, configuration: Configuration, repository: Repository
) -> tuple[grpc.GenericRpcHandler, ...]:
    """What the clients of other protocols change by what is served."""
    return (
        handlers_of(MODEL_SERVICE, ModelServicer(repository, configuration)),
        handlers_of(_OPEN_INFERENCE, OpenInferenceAdministrationDoor(administrator, repository)),
    )
