"""Calls that are whole, of every method that the gRPC ports have: what damage is done to."""

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_reflection.v1alpha.reflection_pb2 import ExtensionRequest, ServerReflectionRequest

from protos import administration_pb2 as admin
from protos import classification_pb2 as ours
from protos import open_inference_pb2 as oip
from serving.doors.tf_serving.apis import (
    DataType,
    Example,
    Feature,
    TensorProto,
    TensorShapeProto,
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    input_pb2,
    model_management_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)
from serving.models.signatures import CLASSIFY, REGRESS
from tests.damage.subject import Subject


class Original(NamedTuple):
    """A call."""

    method: str
    """With its service: "tencrop.v1.Classification/Classify"."""
    messages: Sequence[Message]
    """One, or those of a stream."""


Originals = Callable[[Subject], list[Original]]


def classification(subject: Subject) -> list[Original]:
    """tencrop.v1.Classification, its stream aside."""
    calls = [Original("tencrop.v1.Classification/Classify", [request]) for request in _requests(subject)]
    return [*calls, Original("tencrop.v1.Classification/ListModels", [ours.ListModelsRequest()])]


def classify_stream(subject: Subject) -> list[Original]:
    """tencrop.v1.Classification's stream."""
    items = [ours.ClassifyStreamRequest(id="a", request=request) for request in _requests(subject)]
    return [Original("tencrop.v1.Classification/ClassifyStream", items)]


def predictions(subject: Subject) -> list[Original]:
    """tensorflow.serving.PredictionService."""
    spec = model_pb2.ModelSpec(name=subject.name, signature_name="serving_default")
    versioned = model_pb2.ModelSpec(name=subject.name)
    versioned.version.value = 1
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in (1, *subject.row.shape)])
    dtype = DataType.Value("DT_UINT8")
    raw = TensorProto(dtype=dtype, tensor_shape=shape, tensor_content=subject.row.tobytes())
    listed = TensorProto(dtype=dtype, tensor_shape=shape, int_val=subject.row.ravel().tolist())
    example = Example()
    example.features.feature["image/encoded"].CopyFrom(Feature(bytes_list={"value": [subject.picture]}))
    example.features.feature["weight"].CopyFrom(Feature(float_list={"value": [0.5]}))
    pictures = input_pb2.Input(example_list=input_pb2.ExampleList(examples=[example]))
    in_context = input_pb2.Input(
        example_list_with_context=input_pb2.ExampleListWithContext(examples=[example], context=Example())
    )
    tasks = [inference_pb2.InferenceTask(model_spec=spec, method_name=name) for name in (CLASSIFY, REGRESS)]
    messages = {
        "Predict": [
            predict_pb2.PredictRequest(model_spec=spec, inputs={"pictures": raw}),
            predict_pb2.PredictRequest(model_spec=versioned, inputs={"pictures": listed}, output_filter=["logits"]),
        ],
        "Classify": [
            classification_pb2.ClassificationRequest(model_spec=spec, input=pictures),
            classification_pb2.ClassificationRequest(model_spec=versioned, input=in_context),
        ],
        "Regress": [regression_pb2.RegressionRequest(model_spec=spec, input=pictures)],
        "MultiInference": [inference_pb2.MultiInferenceRequest(tasks=tasks[:1], input=pictures)],
        "GetModelMetadata": [
            get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])
        ],
    }
    messages["MultiInference"].append(inference_pb2.MultiInferenceRequest(tasks=tasks, input=pictures))
    return _of_service("tensorflow.serving.PredictionService", messages)


def model_service(subject: Subject) -> list[Original]:
    """tensorflow.serving.ModelService."""
    spec = model_pb2.ModelSpec(name=subject.name)
    reload = model_management_pb2.ReloadConfigRequest()
    reload.config.model_config_list.config.add(name=subject.name, base_path="/models")
    messages = {
        "GetModelStatus": [get_model_status_pb2.GetModelStatusRequest(model_spec=spec)],
        "HandleReloadConfigRequest": [reload],
    }
    return _of_service("tensorflow.serving.ModelService", messages)


def open_inference(subject: Subject) -> list[Original]:
    """inference.GRPCInferenceService, its stream aside."""
    name = subject.name
    messages = {
        "ServerLive": [oip.ServerLiveRequest()],
        "ServerReady": [oip.ServerReadyRequest()],
        "ServerMetadata": [oip.ServerMetadataRequest()],
        "ModelReady": [oip.ModelReadyRequest(name=name, version="1")],
        "ModelMetadata": [oip.ModelMetadataRequest(name=name)],
        "ModelConfig": [oip.ModelConfigRequest(name=name, version="1")],
        "ModelStatistics": [oip.ModelStatisticsRequest(name=name)],
        "ModelInfer": _inferences(subject) * 3,
        "RepositoryIndex": [oip.RepositoryIndexRequest(ready=True)],
        "RepositoryModelLoad": [oip.RepositoryModelLoadRequest(model_name=name)],
        "RepositoryModelUnload": [oip.RepositoryModelUnloadRequest(model_name=name)],
    }
    return _of_service("inference.GRPCInferenceService", messages)


def stream_inference(subject: Subject) -> list[Original]:
    """inference.GRPCInferenceService's stream."""
    return [Original("inference.GRPCInferenceService/ModelStreamInfer", _inferences(subject))]


def health(subject: Subject) -> list[Original]:
    """gRPC's own health service."""
    asked = [HealthCheckRequest(), HealthCheckRequest(service=subject.name)]
    return _of_service("grpc.health.v1.Health", {"Check": asked, "Watch": asked[1:]})


def reflection(subject: Subject) -> list[Original]:
    """gRPC's own service that tells of services."""
    asked = [
        ServerReflectionRequest(host="localhost", list_services=""),
        ServerReflectionRequest(file_by_filename="protos/classification.proto"),
        ServerReflectionRequest(file_containing_symbol="tencrop.v1.Classification.Classify"),
        ServerReflectionRequest(
            file_containing_extension=ExtensionRequest(containing_type="tencrop.v1.ModelSpec", extension_number=9)
        ),
        ServerReflectionRequest(all_extension_numbers_of_type="tencrop.v1.ModelSpec"),
    ]
    service = "grpc.reflection.v1alpha.ServerReflection"
    return [Original(f"{service}/ServerReflectionInfo", [*asked[:kept], asked[kept]]) for kept in range(len(asked))]


def administration(subject: Subject) -> list[Original]:
    """tencrop.v1.Administration. Orders may be carried out."""
    model = subject.name
    messages: dict[str, list[Message]] = {
        "Load": [admin.LoadRequest(model=model, version=1)],
        "Unload": [admin.UnloadRequest(model=model, version=2)],
        "SetLabel": [admin.SetLabelRequest(model=model, label="canary", version=1)],
        "RemoveLabel": [admin.RemoveLabelRequest(model=model, label="canary")],
        "Promote": [admin.PromoteRequest(model=model, version=1)],
        "Rollback": [admin.RollbackRequest(model=model)],
        "Status": [admin.StatusRequest(model=model)],
    }
    return _of_service("tencrop.v1.Administration", messages)


def _requests(subject: Subject) -> list[ours.ClassifyRequest]:
    spec = ours.ModelSpec(name=subject.name)
    row = subject.row[..., 0] if subject.row.shape[2] == 1 else subject.row
    tensor = ours.Tensor(data_type=ours.Tensor.DATA_TYPE_UINT8, shape=row.shape, content=row.tobytes())
    scaled = ours.Tensor(
        data_type=ours.Tensor.DATA_TYPE_FLOAT32, shape=row.shape, content=(row / 255).astype("<f4").tobytes()
    )
    box = ours.Box(top=0.1, left=0, bottom=1, right=0.9)
    return [
        ours.ClassifyRequest(model=spec, encoded=subject.picture, views=ours.VIEWS_TEN, top_k=2, with_view_scores=True),
        ours.ClassifyRequest(model=ours.ModelSpec(name=subject.name, version=1), tensor=tensor, min_confidence=0.5),
        ours.ClassifyRequest(model=spec, tensor=scaled, vote=ours.VOTE_MAJORITY, adaptive=True, routing_key="a"),
        ours.ClassifyRequest(model=spec, encoded=subject.picture, views=ours.VIEWS_BOXES, boxes=[box, box]),
    ]


def _inferences(subject: Subject) -> list[oip.ModelInferRequest]:
    tensor, output = oip.ModelInferRequest.InferInputTensor, oip.ModelInferRequest.InferRequestedOutputTensor
    rows = tensor(name="pictures", datatype="UINT8", shape=[2, *subject.row.shape])
    listed = tensor(name="pictures", datatype="UINT8", shape=[1, *subject.row.shape])
    listed.contents.uint_contents.extend(subject.row.ravel().tolist())
    files = tensor(name="image", datatype="BYTES", shape=[2])
    best = output(name="logits", parameters={"classification": oip.InferParameter(int64_param=2)})
    return [
        oip.ModelInferRequest(
            model_name=subject.name,
            id="a",
            inputs=[rows],
            outputs=[best],
            raw_input_contents=[subject.row.tobytes() * 2],
        ),
        oip.ModelInferRequest(model_name=subject.name, model_version="1", inputs=[listed]),
        oip.ModelInferRequest(
            model_name=subject.name,
            inputs=[files],
            outputs=[output(name="label"), output(name="probabilities")],
            raw_input_contents=[2 * (struct.pack("<I", len(subject.picture)) + subject.picture)],
            parameters={
                "views": oip.InferParameter(string_param="ten"),
                "timeout": oip.InferParameter(int64_param=60_000_000),
                "min_confidence": oip.InferParameter(double_param=0.5),
                "adaptive": oip.InferParameter(bool_param=False),
            },
        ),
    ]


def _of_service(service: str, messages: dict[str, Sequence[Message]]) -> list[Original]:
    return [Original(f"{service}/{method}", [each]) for method, several in messages.items() for each in several]
