"""Calls that name no version fall to a canary whichever protocol they come by."""

import time

import httpx
import numpy as np
import pytest
from tensorflow_serving.apis import predict_pb2, regression_pb2
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from protos import open_inference_pb2
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from serving.models.catalogue import ServedModel
from serving.models.declaration import CanaryDeclaration
from serving.models.engines.saved_model import SavedModelSignatures
from serving.models.plain import PlainVersion
from serving.models.repository import Repository
from serving.models.signatures import PREDICT, Signature, Signatures, TensorSpec
from serving.models.trials.routing import place_of
from tests.serving.doors.tf_serving import halves
from tests.serving.fakes import PATIENCE, fake_servable
from tests.serving.running import running

NAME = halves.NAME


PLAIN = "plain_halves"
"""The same without cards."""
TEXTS, TYPES = "texts", "types"
"""Models of which a canary gives what not every protocol tells: bytes that are no text, numbers of another type."""


def key_that_falls_to(version: int) -> str:
    """Of a half of the calls, version 2 answers those whose place is in the lower half."""
    return next(
        key
        for key in map(str, range(999))
        if all((place_of(key, name, 2) < 0.5) == (version == 2) for name in (NAME, PLAIN, TEXTS, TYPES))
    )


KEYS = {version: key_that_falls_to(version) for version in (1, 2)}
"""A routing key that falls to each version."""


class Gives(Signatures):
    """Whatever x is, `y`, and counts how often."""

    def __init__(self, dtype: str, y: np.ndarray) -> None:
        x, given = TensorSpec("x:0", "DT_FLOAT", None), TensorSpec("y:0", dtype, None)
        self.all = {"serving_default": Signature("serving_default", PREDICT, {"x": x}, {"y": given})}
        self.y, self.runs = y, 0

    def run(self, signature, inputs, outputs):
        self.runs += 1
        return dict.fromkeys(outputs, self.y)

    def close(self) -> None:
        """Nothing was loaded."""


TOLD_AND_NOT = {
    TEXTS: (Gives("DT_STRING", np.array([b"boot"], object)), Gives("DT_STRING", np.array([b"\xff"], object))),
    TYPES: (Gives("DT_FLOAT", np.ones(1, np.float32)), Gives("DT_COMPLEX64", np.ones(1, np.complex64))),
}
"""What version 1 and the canary give."""


def _plain(name: str, version: int, gives: Gives) -> PlainVersion:
    return PlainVersion(name, version, gives, 1, time.monotonic)


@pytest.fixture(scope="module")
def server(loop, tmp_path_factory):
    """Over versions 1 and 2 of the toy model; 2 answers a half of the calls."""
    directory = tmp_path_factory.mktemp("halves")
    halves.save(directory)

    def load(*_) -> Repository:
        signatures = SavedModelSignatures(directory)
        servables = {
            version: fake_servable(NAME, version, signatures=signatures, clock=time.monotonic) for version in (1, 2)
        }
        plain = {version: PlainVersion(PLAIN, version, signatures, 1, time.monotonic) for version in (1, 2)}
        texts = {version: _plain(TEXTS, version, gives) for version, gives in enumerate(TOLD_AND_NOT[TEXTS], start=1)}
        types = {version: _plain(TYPES, version, gives) for version, gives in enumerate(TOLD_AND_NOT[TYPES], start=1)}
        canary = CanaryDeclaration(version=2, percent=50)
        of_models = {NAME: servables, PLAIN: plain, TEXTS: texts, TYPES: types}
        return Repository({name: ServedModel(name, each, canary=canary) for name, each in of_models.items()}, {})

    with running(loop, load) as server:
        yield server


def counted(server, version: int, model: str = NAME, outcome: str = "answered") -> float:
    """The calls that the version has answered, or in which it has failed."""
    labels = {"arm": "canary" if version == 2 else "stable", "outcome": outcome}
    return server.sample("tencrop_canary_duration_seconds_count", model=model, version=str(version), **labels)


def predict(server, key):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = NAME
    request.inputs["x"].dtype = 1
    request.inputs["x"].tensor_shape.dim.add(size=1)
    request.inputs["x"].float_val.append(2.0)
    stub = PredictionServiceStub(server.channel)
    return stub.Predict(request, metadata=(("x-routing-key", key),), timeout=PATIENCE).model_spec.version.value


def regress(server, key):
    request = regression_pb2.RegressionRequest()
    request.model_spec.name, request.model_spec.signature_name = NAME, "tensorflow/serving/regress"
    request.input.example_list.examples.add().features.feature["x"].float_list.value.append(2.0)
    stub = PredictionServiceStub(server.channel)
    return stub.Regress(request, metadata=(("x-routing-key", key),), timeout=PATIENCE).model_spec.version.value


def infer(server, key, in_metadata=True):
    tensor = open_inference_pb2.ModelInferRequest.InferInputTensor(
        name="pictures", datatype="UINT8", shape=[2, 8, 8, 1]
    )
    request = open_inference_pb2.ModelInferRequest(model_name=NAME, inputs=[tensor], raw_input_contents=[bytes(128)])
    if not in_metadata:
        request.parameters["routing_key"].string_param = key
    metadata = (("x-routing-key", key),) if in_metadata else ()
    stub = GRPCInferenceServiceStub(server.channel)
    return int(stub.ModelInfer(request, metadata=metadata, timeout=PATIENCE).model_version)


def infer_by_parameter(server, key):
    return infer(server, key, in_metadata=False)


def infer_over_http(server, key):
    tensor = {"name": "pictures", "datatype": "UINT8", "shape": [1, 8, 8, 1], "data": np.zeros(64, int).tolist()}
    url = f"http://127.0.0.1:{server.server.http_port}/v2/models/{NAME}/infer"
    answer = httpx.post(url, json={"inputs": [tensor]}, headers={"x-routing-key": key}, timeout=PATIENCE)
    return int(answer.json()["model_version"])


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("ask", [predict, regress, infer, infer_by_parameter, infer_over_http])
def test_a_call_goes_the_way_of_its_routing_key_and_is_counted_once(server, ask, version):
    before = counted(server, 1), counted(server, 2)
    assert ask(server, KEYS[version]) == version
    assert counted(server, version) == before[version - 1] + 1
    assert counted(server, 1) + counted(server, 2) == sum(before) + 1


@pytest.mark.parametrize("version", [1, 2])
def test_predict_over_rest_is_routed_and_counted(server, version):
    before = counted(server, version)
    url = f"http://127.0.0.1:{server.server.http_port}/v1/models/{NAME}:predict"
    answer = httpx.post(url, json={"instances": [2.0]}, headers={"x-routing-key": KEYS[version]}, timeout=PATIENCE)
    assert answer.json() == {"predictions": [4.0]}
    assert counted(server, version) == before + 1


def infer_tensors(server, version: int) -> open_inference_pb2.ModelInferResponse:
    """Asks the model without cards, by the key that falls to `version`."""
    x = open_inference_pb2.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1])
    raw = np.array([2.0], np.float32).tobytes()
    request = open_inference_pb2.ModelInferRequest(model_name=PLAIN, inputs=[x], raw_input_contents=[raw])
    request.parameters["routing_key"].string_param = KEYS[version]
    return GRPCInferenceServiceStub(server.channel).ModelInfer(request, timeout=PATIENCE)


@pytest.mark.parametrize("version", [1, 2])
def test_tensors_of_models_without_cards_are_routed_and_counted(server, version):
    before = counted(server, version, PLAIN)
    answer = infer_tensors(server, version)
    assert (answer.model_version, np.frombuffer(answer.raw_output_contents[0], np.float32)) == (str(version), [4.0])
    assert counted(server, version, PLAIN) == before + 1


X = {"name": "x", "datatype": "FP32", "shape": [1], "data": [2.0]}
OPEN_INFERENCE = ("/v2/models/{}/infer", {"inputs": [X]}, lambda answer: answer["outputs"][0]["data"])
TF_SERVING = ("/v1/models/{}:predict", {"instances": [2.0]}, lambda answer: answer["predictions"])


@pytest.mark.parametrize(
    ("model", "protocol", "told"),
    [(TEXTS, OPEN_INFERENCE, ["boot"]), (TEXTS, TF_SERVING, ["boot"]), (TYPES, OPEN_INFERENCE, [1.0])],
)
def test_a_canary_whose_answer_cannot_be_told_has_failed_and_the_stable_version_answers(server, model, protocol, told):
    path, body, outputs = protocol
    before = counted(server, 2, model), counted(server, 2, model, "failed")
    url = f"http://127.0.0.1:{server.server.http_port}{path.format(model)}"
    answer = httpx.post(url, json=body, headers={"x-routing-key": KEYS[2]}, timeout=PATIENCE)
    assert outputs(answer.json()) == told
    assert (counted(server, 2, model), counted(server, 2, model, "failed")) == (before[0], before[1] + 1)


def test_a_version_is_not_run_for_outputs_that_the_protocol_has_not(server):
    url = f"http://127.0.0.1:{server.server.http_port}/v2/models/{TYPES}/versions/2/infer"
    runs = TOLD_AND_NOT[TYPES][1].runs
    assert "DT_COMPLEX64" in httpx.post(url, json={"inputs": [X]}, timeout=PATIENCE).json()["error"]
    assert TOLD_AND_NOT[TYPES][1].runs == runs
