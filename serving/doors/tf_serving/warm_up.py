"""The requests that a version brings along to be warmed up with, as TensorFlow Serving defines them:
assets.extra/tf_serving_warmup_requests, a TFRecord of tensorflow.serving.PredictionLog
(https://www.tensorflow.org/tfx/serving/saved_model_warmup).
"""

import logging
from pathlib import Path

from google.protobuf.message import DecodeError

from serving.doors.tf_serving import results
from serving.doors.tf_serving.apis import input_pb2, model_pb2, predict_pb2, prediction_log_pb2
from serving.doors.tf_serving.examples import examples_of
from serving.doors.tf_serving.specs import signature_name
from serving.doors.tf_serving.tensors import dtype_name, to_array
from serving.errors import InvalidRequest, ModelRejected, TencropError
from serving.models import signatures
from serving.models.loaded_version import LoadedVersion
from serving.pipeline.prediction import runs_in_batches
from serving.tfrecords import records_in

log = logging.getLogger(__name__)

REQUESTS = Path("assets.extra", "tf_serving_warmup_requests")
MAX_RECORDS = 1000
"""TensorFlow Serving's bound."""


def replay(directory: Path, version: LoadedVersion) -> None:
    """Asks `version`, loaded from `directory`, all that is in its file of requests, if it has one. Blocks.

    Raises ModelRejected where the file is broken, holds more than MAX_RECORDS, or one of them cannot be answered.
    """
    path, count = directory / REQUESTS, 0
    if not path.exists():
        return
    try:
        for count, record in enumerate(records_in(path), start=1):
            if count > MAX_RECORDS:
                raise InvalidRequest(f"there are at most {MAX_RECORDS}")
            _ask(prediction_log_pb2.PredictionLog.FromString(record), version)
    except (ValueError, DecodeError, TencropError) as error:
        raise ModelRejected(
            f"A version answers every request that it is warmed up with; of those in {path}, number {count} fails: "
            f"{error} Write the file again, or remove it."
        ) from error
    log.info("%s version %s: warmed up with %s requests of its own", version.name, version.version, count)


def _ask(record: prediction_log_pb2.PredictionLog, version: LoadedVersion) -> None:
    kind = record.WhichOneof("log_type")
    if kind == "predict_log":
        _predict(record.predict_log.request, version)
    elif kind in ("classify_log", "regress_log"):
        request = getattr(record, kind).request
        _infer(request.model_spec, request.input, version)
    elif kind == "multi_inference_log":
        for task in record.multi_inference_log.request.tasks:
            _infer(task.model_spec, record.multi_inference_log.request.input, version)
    else:
        raise InvalidRequest(f"A request is to Predict, Classify, Regress or MultiInference; {kind} is none.")


def _predict(request: predict_pb2.PredictRequest, version: LoadedVersion) -> None:
    known = version.signature_calls.signatures
    signature = signatures.find(known, signature_name(request.model_spec))
    signature.check_names(request.inputs)
    inputs = {name: to_array(proto) for name, proto in request.inputs.items()}
    for name, array in inputs.items():
        signature.check_input(name, dtype_name(request.inputs[name]), array.shape)
    outputs = signature.chosen_outputs(request.output_filter)
    if runs_in_batches(version, signature, outputs):
        (rows,) = inputs.values()
        version.meet(rows)
    else:
        known.run(signature, inputs, outputs)


def _infer(spec: model_pb2.ModelSpec, given: input_pb2.Input, version: LoadedVersion) -> None:
    """A vote over views needs none of this: its batches are met before."""
    known = version.signature_calls.signatures
    signature = known.all.get(signature_name(spec))
    if signature and results.takes_examples(signature):
        known.run(signature, results.serialised(examples_of(given)), list(signature.outputs))
