"""Classify, Regress and MultiInference, asked by TensorFlow Serving's own stub with examples."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2

from protos import classification_pb2 as pb
from tests.serving.fakes import PATIENCE
from tests.serving.picture_files import file_of, noise
from tests.serving.tiny import LABELS

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
NOISE = noise(24, 20)


def example(**features) -> tf.train.Example:
    made = tf.train.Example()
    for name, value in features.items():
        feature = made.features.feature[name.replace("__", "/")]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        else:
            feature.float_list.value.append(value)
    return made


def fill(request, model, signature, examples, context=None):
    request.model_spec.name, request.model_spec.signature_name = model, signature
    if context:
        request.input.example_list_with_context.context.CopyFrom(context)
        request.input.example_list_with_context.examples.extend(examples)
    else:
        request.input.example_list.examples.extend(examples)
    return request


def classify(asked, model, examples, signature="", **options):
    request = fill(classification_pb2.ClassificationRequest(), model, signature, examples, **options)
    return asked.prediction.Classify(request, timeout=PATIENCE)


def scores_in(classifications) -> dict[str, float]:
    return {each.label: each.score for each in classifications.classes}


def voted(pictures, model, views) -> dict[str, float]:
    """What our own service says of the same picture."""
    request = pb.ClassifyRequest(model=pb.ModelSpec(name=model), encoded=file_of(NOISE), views=views, top_k=len(LABELS))
    return {each.label: each.probability for each in pictures.server.classify(request).predictions}


@pytest.mark.parametrize("model", ["shades", "choir"])
@pytest.mark.parametrize(
    ("signature", "views"), [("", pb.VIEWS_SINGLE), ("serving_default", pb.VIEWS_SINGLE), ("ten", pb.VIEWS_TEN)]
)
def test_a_picture_in_an_example_is_voted_on(pictures, model, signature, views):
    answer = classify(pictures, model, [example(image__encoded=file_of(NOISE), note=b"any")], signature)
    (found,) = answer.result.classifications
    assert scores_in(found) == pytest.approx(voted(pictures, model, views))
    assert [each.score for each in found.classes] == sorted((each.score for each in found.classes), reverse=True)
    assert (answer.model_spec.name, answer.model_spec.signature_name) == (model, signature or "serving_default")
    assert answer.model_spec.version.value == (2 if model == "shades" else 0)


def test_each_example_has_its_own_answer_in_order_and_a_context_is_shared(pictures):
    encoded = [file_of(np.full((16, 16, 3), level, np.uint8)) for level in (0, 255)]
    together = classify(pictures, "shades", [example(any=each) for each in encoded], context=example(x=1.0))
    alone = [classify(pictures, "shades", [example(any=each)]) for each in encoded]
    assert [scores_in(each) for each in together.result.classifications] == [
        scores_in(each.result.classifications[0]) for each in alone
    ]


def test_a_signature_of_the_models_own_is_asked_instead(numbers):
    answer = classify(numbers, "half_plus_three", [example(x=1.0), example(x=2.0)], "classify_x")
    assert [scores_in(each) for each in answer.result.classifications] == [
        {"small": -3.5, "large": 3.5},
        {"small": -4.0, "large": 4.0},
    ]
    assert answer.model_spec.version.value == 123


def test_what_a_signature_gives_beside_classes_or_scores_is_left_out(numbers):
    answer = classify(numbers, "half_plus_three", [example(x=1.0)], "classify_besides")
    assert [(each.label, each.score) for each in answer.result.classifications[0].classes] == [("", -3.5), ("", 3.5)]


def test_a_signature_that_gives_values_regresses(numbers):
    request = fill(regression_pb2.RegressionRequest(), "half_plus_three", REGRESS, [example(x=1.0), example(x=2.0)])
    answer = numbers.prediction.Regress(request, timeout=PATIENCE)
    assert [each.value for each in answer.result.regressions] == [3.5, 4.0]
    assert answer.model_spec.signature_name == REGRESS


def tasks(*asked) -> inference_pb2.MultiInferenceRequest:
    request = inference_pb2.MultiInferenceRequest()
    for method, signature in asked:
        task = request.tasks.add(method_name=method)
        task.model_spec.name, task.model_spec.signature_name = "half_plus_three", signature
    request.input.example_list.examples.append(example(x=1.0))
    return request


def test_several_signatures_are_asked_at_once(numbers):
    request = tasks((REGRESS, REGRESS), (CLASSIFY, "classify_x"))
    regressed, classified = numbers.prediction.MultiInference(request, timeout=PATIENCE).results
    assert regressed.regression_result.regressions[0].value == 3.5
    assert scores_in(classified.classification_result.classifications[0]) == {"small": -3.5, "large": 3.5}
    assert classified.model_spec.signature_name == "classify_x"


PICTURE = example(image__encoded=file_of(NOISE))
NO_PICTURES = {
    "no example": [],
    "an example without features": [example()],
    "an example without bytes": [example(x=1.0)],
    "two features of bytes": [example(one=b"1", other=b"2")],
    "bytes that are no picture": [example(image__encoded=b"no picture")],
    "one bad example of two": [PICTURE, example(image__encoded=b"no picture")],
}


@pytest.mark.parametrize("examples", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_holds_no_picture_is_refused(pictures, examples):
    with pytest.raises(grpc.RpcError) as refused:
        classify(pictures, "shades", examples)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("method", "request_kind"),
    [("Classify", classification_pb2.ClassificationRequest), ("Regress", regression_pb2.RegressionRequest)],
)
@pytest.mark.parametrize(
    ("model", "signature", "code"), [("shades", "twelve", "INVALID_ARGUMENT"), ("shadow", "", "NOT_FOUND")]
)
def test_an_unknown_signature_or_model_has_the_status_of_tensorflow_serving(
    pictures, method, request_kind, model, signature, code
):
    with pytest.raises(grpc.RpcError) as refused:
        getattr(pictures.prediction, method)(fill(request_kind(), model, signature, [PICTURE]), timeout=PATIENCE)
    assert refused.value.code().name == code


def of_another_model(request):
    request.tasks[0].model_spec.name = "half"
    return request


# multi_inference.cc looks for the model, then for the signature, then at the method.
REFUSED_TASKS = {
    "no task": (tasks(), "INVALID_ARGUMENT"),
    "a signature twice": (tasks((REGRESS, REGRESS), (REGRESS, REGRESS)), "INVALID_ARGUMENT"),
    "an unknown method": (tasks(("judge", REGRESS)), "UNIMPLEMENTED"),
    "no method": (tasks(("", REGRESS)), "UNIMPLEMENTED"),
    "an unknown method in the second task": (tasks((REGRESS, REGRESS), ("judge", "classify_x")), "UNIMPLEMENTED"),
    "an unknown method and signature": (tasks(("judge", "nothing")), "INVALID_ARGUMENT"),
    "an unknown method and model": (of_another_model(tasks(("judge", REGRESS))), "NOT_FOUND"),
    "an unknown signature": (tasks((REGRESS, "nothing")), "INVALID_ARGUMENT"),
    "a signature of another method": (tasks((REGRESS, "classify_x")), "INVALID_ARGUMENT"),
}


@pytest.mark.parametrize(("request_", "code"), REFUSED_TASKS.values(), ids=REFUSED_TASKS)
def test_tasks_that_make_no_sense_are_refused(numbers, request_, code):
    with pytest.raises(grpc.RpcError) as refused:
        numbers.prediction.MultiInference(request_, timeout=PATIENCE)
    assert refused.value.code().name == code


@pytest.mark.parametrize(
    ("method", "request_kind", "signature"),
    [
        ("Classify", classification_pb2.ClassificationRequest, "classify_by_number"),
        ("Classify", classification_pb2.ClassificationRequest, "serving_default"),
        ("Regress", regression_pb2.RegressionRequest, "regress_in_double"),
        ("Regress", regression_pb2.RegressionRequest, "classify_x"),
    ],
)
def test_a_signature_of_other_tensors_is_refused_as_tensorflow_serving_does(numbers, method, request_kind, signature):
    request = fill(request_kind(), "half_plus_three", signature, [example(x=1.0)])
    with pytest.raises(grpc.RpcError) as refused:
        getattr(numbers.prediction, method)(request, timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
