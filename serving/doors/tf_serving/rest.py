"""TensorFlow Serving's REST API: https://www.tensorflow.org/tfx/serving/api_rest, on the HTTP door."""

import json
import math
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from google.protobuf import json_format
from google.protobuf.message import Message
from prometheus_client import CONTENT_TYPE_LATEST

from serving.aside import MANY_BYTES, MANY_ELEMENTS, aside
from serving.doors.tf_serving import json_examples, json_tensors, predictions
from serving.doors.tf_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    regression_pb2,
)
from serving.doors.tf_serving.calls import Calls
from serving.doors.tf_serving.inference import Inference
from serving.doors.tf_serving.monitoring import PATH
from serving.doors.tf_serving.specs import of_version, signature_name
from serving.errors import InvalidRequest
from serving.models import signatures
from serving.models.loaded_version import LoadedVersion
from serving.models.repository import Repository
from serving.pipeline.prediction import Predictor
from serving.pipeline.router import Router

MODELS = "/v1/models"
_VERSIONS = (f"{MODELS}/{{name}}", f"{MODELS}/{{name}}/versions/{{version:int}}", f"{MODELS}/{{name}}/labels/{{label}}")


def rest_router(
    inference: Inference, router: Router, predictor: Predictor, repository: Repository, calls: Calls
) -> APIRouter:
    """Status, metadata, and the verbs predict, classify and regress, of the newest version or of one by number or
    label; and TensorFlow Serving's metrics.
    """
    rest = _Rest(inference, router, predictor, repository, calls)
    paths = APIRouter(include_in_schema=False)
    for path in _VERSIONS:
        for verb in (rest.predict, rest.classify, rest.regress):
            paths.add_api_route(f"{path}:{verb.__name__}", verb, methods=["POST"], response_model=None)
        paths.add_api_route(f"{path}/metadata", rest.metadata, response_model=None)
        paths.add_api_route(path, rest.status, response_model=None)
    paths.add_api_route(PATH, rest.metrics, response_model=None)
    paths.add_api_route(f"{MODELS}/{{rest:path}}", _malformed, methods=["GET", "POST"], response_model=None)
    return paths


class _Rest:
    """The endpoints. All raise the errors of serving.errors, which the HTTP door answers."""

    def __init__(
        self, inference: Inference, router: Router, predictor: Predictor, repository: Repository, calls: Calls
    ) -> None:
        self._inference = inference
        self._router = router
        self._predictor = predictor
        self._repository = repository
        self._calls = calls

    async def predict(self, request: Request) -> Response:
        spec, body = _spec(request), await request.body()
        with self._calls.counted("Predict", "REST", spec.name):
            document = await aside(_is_long(body), json_tensors.parse, body)
            _choose_signature(document, spec)
            write = _predictions if json_tensors.INSTANCES in document else _outputs

            async def ask(version: LoadedVersion) -> Response:
                signature = signatures.find(version.signature_calls.signatures, signature_name(spec))
                inputs = await aside(_is_long(body), json_tensors.inputs_of, document, signature)
                with self._calls.running("Predict", version.name):
                    predicted = await self._predictor.predict(version, signature, inputs, (), math.inf)
                elements = sum(array.size for array in predicted.outputs.values())
                return await aside(elements > MANY_ELEMENTS, write, predicted.outputs)

            return await of_version(self._router, self._repository, spec, "", math.inf, ask)

    async def classify(self, request: Request) -> Response:
        spec, body = _spec(request), await request.body()
        with self._calls.counted("Classify", "REST", spec.name):
            given = await aside(_is_long(body), _input, body, spec)
            asked = classification_pb2.ClassificationRequest(model_spec=spec, input=given)
            answer = await self._inference.classify(asked, math.inf)
            return _json({"results": json_examples.classified(answer.result)})

    async def regress(self, request: Request) -> Response:
        spec, body = _spec(request), await request.body()
        with self._calls.counted("Regress", "REST", spec.name):
            given = await aside(_is_long(body), _input, body, spec)
            asked = regression_pb2.RegressionRequest(model_spec=spec, input=given)
            answer = await self._inference.regress(asked, math.inf)
            return _json({"results": json_examples.regressed(answer.result)})

    async def metadata(self, request: Request) -> Response:
        asked = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=_spec(request), metadata_field=[predictions.SIGNATURE_DEF]
        )
        answer = predictions.metadata(self._repository, asked)
        described = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata[predictions.SIGNATURE_DEF].Unpack(described)
        return _json(
            {
                "model_spec": _as_dict(answer.model_spec),
                "metadata": {predictions.SIGNATURE_DEF: _as_dict(described)},
            }
        )

    async def status(self, request: Request) -> Response:
        asked = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(request))
        return _json(_as_dict(predictions.status(self._repository, asked)))

    async def metrics(self) -> Response:
        return Response(self._calls.monitoring.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _malformed(request: Request) -> Response:
    raise InvalidRequest(
        f"A path is {MODELS}/NAME[/versions/NUMBER|/labels/LABEL], with :predict, :classify or :regress after it for "
        f"POST, and /metadata or nothing for GET; {request.method} {request.url.path} came."
    )


def _spec(request: Request) -> model_pb2.ModelSpec:
    """Who is asked, by the path. Raises InvalidRequest for a number that is no version."""
    given = request.path_params
    spec = model_pb2.ModelSpec(name=given["name"], version_label=given.get("label"))
    if "version" in given:
        if given["version"] >= 2**63:
            raise InvalidRequest(f"A version is a number of 63 bits; {given['version']} came.")
        spec.version.value = given["version"]
    return spec


def _choose_signature(document: dict[str, Any], spec: model_pb2.ModelSpec) -> None:
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise InvalidRequest(
            f"'signature_name' is a string; a {type(name).__name__} came. Leave it out for the default."
        )
    spec.signature_name = name


def _input(body: bytes, spec: model_pb2.ModelSpec) -> Any:
    document = json_tensors.parse(body)
    _choose_signature(document, spec)
    return json_examples.input_of(document)


def _predictions(outputs: signatures.Tensors) -> Response:
    return _json({"predictions": json_tensors.rows_of(outputs)})


def _outputs(outputs: signatures.Tensors) -> Response:
    return _json({"outputs": json_tensors.columns_of(outputs)})


def _is_long(body: bytes) -> bool:
    """Whether to read it takes so long that the event loop would feel it: of some megabytes, JSON takes a second."""
    return len(body) > MANY_BYTES


def _as_dict(message: Message) -> dict[str, Any]:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _json(document: dict[str, Any]) -> Response:
    """Not a JSONResponse: that takes no NaN and no Infinity."""
    return Response(json.dumps(document, indent=1), media_type="application/json")
