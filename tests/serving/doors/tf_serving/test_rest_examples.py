"""What https://www.tensorflow.org/tfx/serving/api_rest shows, word for word but for the whitespace of answers."""

import pytest

MODEL = "/v1/models/half_plus_three"


def ask(asked, path, document):
    response = asked.rest.post(path, json=document)
    return response.status_code, response.json()


def test_the_status_of_a_model(numbers):
    assert numbers.rest.get(MODEL).json() == {
        "model_version_status": [
            {"version": "123", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }


def test_predict_by_rows(numbers):
    assert ask(numbers, f"{MODEL}:predict", {"instances": [1.0, 2.0, 5.0]}) == (200, {"predictions": [3.5, 4.0, 5.5]})


def test_predict_by_columns(numbers):
    assert ask(numbers, f"{MODEL}:predict", {"inputs": [1.0, 2.0]}) == (200, {"outputs": [3.5, 4.0]})
    assert ask(numbers, f"{MODEL}:predict", {"inputs": {"x": [5.0]}}) == (200, {"outputs": [5.5]})


def test_regress(numbers):
    document = {"signature_name": "tensorflow/serving/regress", "examples": [{"x": 1.0}, {"x": 2.0}]}
    assert ask(numbers, f"{MODEL}:regress", document) == (200, {"results": [3.5, 4.0]})


def test_classify(numbers):
    document = {"signature_name": "classify_x", "context": {}, "examples": [{"x": 1.0}, {"x": [2.0]}]}
    results = [[["small", -3.5], ["large", 3.5]], [["small", -4.0], ["large", 4.0]]]
    assert ask(numbers, f"{MODEL}:classify", document) == (200, {"results": results})


READINGS = [
    {"tag": "foo", "signal": [1, 2], "sensor": 0.1},
    {"tag": {"b64": "YmFy"}, "signal": [3, 4], "sensor": float("nan")},
]


def test_several_tensors_by_rows(numbers):
    content = '{"signature_name": "readings", "instances": [' + str(READINGS)[1:-1].replace("'", '"')
    response = numbers.rest.post(f"{MODEL}:predict", content=content.replace("nan", "NaN") + "]}")
    first, second = response.json()["predictions"]
    assert first == {"tag": "foo", "raw_bytes": {"b64": "Zm9v"}, "total": 3, "sensor": 0.1}
    assert second["sensor"] != second["sensor"]
    assert second["raw_bytes"] == {"b64": "YmFy"}


def test_several_tensors_by_columns(numbers):
    inputs = {"tag": ["foo", "bar"], "signal": [[1, 2], [3, 4]], "sensor": [1, 2]}
    status, answer = ask(numbers, f"{MODEL}:predict", {"signature_name": "readings", "inputs": inputs})
    assert status == 200
    assert answer["outputs"] == {
        "tag": ["foo", "bar"],
        "raw_bytes": [{"b64": "Zm9v"}, {"b64": "YmFy"}],
        "total": [3, 7],
        "sensor": [1.0, 2.0],
    }


@pytest.mark.parametrize("path", [MODEL, f"{MODEL}/versions/123"])
def test_the_metadata_of_a_model(numbers, path):
    answer = numbers.rest.get(f"{path}/metadata").json()
    assert answer["model_spec"] == {"name": "half_plus_three", "signature_name": "", "version": "123"}
    default = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert default["method_name"] == "tensorflow/serving/predict"
    assert default["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert default["inputs"]["x"]["tensor_shape"] == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}


REFUSED = {
    "a model that is not served": ("/v1/models/half:predict", {"instances": [1.0]}, 404),
    "a version that is not served": (f"{MODEL}/versions/1:predict", {"instances": [1.0]}, 404),
    "a label that nobody gave": (f"{MODEL}/labels/canary:predict", {"instances": [1.0]}, 400),
    "a version beyond numbers": (f"{MODEL}/versions/9223372036854775808:predict", {"instances": [1.0]}, 400),
    "a version that is no number": (f"{MODEL}/versions/first:predict", {"instances": [1.0]}, 400),
    "a verb that there is not": (f"{MODEL}:judge", {"instances": [1.0]}, 400),
    "a signature that there is not": (f"{MODEL}:predict", {"signature_name": "x", "instances": [1.0]}, 400),
    "a signature that is no name": (f"{MODEL}:predict", {"signature_name": 1, "instances": [1.0]}, 400),
    "rows and columns": (f"{MODEL}:predict", {"instances": [1.0], "inputs": [1.0]}, 400),
    "neither": (f"{MODEL}:predict", {}, 400),
    "no rows": (f"{MODEL}:predict", {"instances": []}, 400),
    "text for a number": (f"{MODEL}:predict", {"instances": ["one"]}, 400),
    "truth for a number": (f"{MODEL}:predict", {"instances": [True]}, 400),
    "a list for a number": (f"{MODEL}:predict", {"instances": [[1.0]]}, 400),
    "rows of several lengths": (f"{MODEL}:predict", {"instances": [[1.0], [1.0, 2.0]]}, 400),
    "an unknown tensor": (f"{MODEL}:predict", {"instances": [{"z": 1.0}]}, 400),
    "rows that name other tensors": (f"{MODEL}:predict", {"instances": [{"x": 1.0}, {"z": 1.0}]}, 400),
    "no row of an output": (f"{MODEL}:predict", {"signature_name": "sum_up", "instances": [1.0]}, 400),
    "one tensor for three": (f"{MODEL}:predict", {"signature_name": "readings", "inputs": [1.0]}, 400),
    "bytes that are not in base64": (
        f"{MODEL}:predict",
        {"signature_name": "readings", "inputs": {"tag": [{"b64": "?"}], "signal": [[1, 2]], "sensor": [1]}},
        400,
    ),
    "what the graph refuses": (f"{MODEL}:predict", {"signature_name": "gather", "inputs": {"x": [1], "y": [7]}}, 400),
    "an example that lacks a feature": (
        f"{MODEL}:regress",
        {"signature_name": "tensorflow/serving/regress", "examples": [{}]},
        400,
    ),
    "regression by what does none": (f"{MODEL}:regress", {"examples": [{"x": 1.0}]}, 400),
    "no examples": (f"{MODEL}:classify", {"signature_name": "classify_x", "examples": []}, 400),
    "a feature of two kinds": (f"{MODEL}:classify", {"examples": [{"x": [1, "one"]}]}, 400),
    "a feature that is an object": (f"{MODEL}:classify", {"examples": [{"x": {"y": 1}}]}, 400),
}


@pytest.mark.parametrize(("path", "document", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_has_its_status_and_says_why(numbers, path, document, status):
    came, answer = ask(numbers, path, document)
    assert (came, list(answer)) == (status, ["error"])
    assert len(answer["error"]) > 20


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 100_000, b"\xff\xfe", b'{"instances": [1e999999]}x'])
def test_a_body_that_is_no_json_object_is_refused(numbers, body):
    response = numbers.rest.post(f"{MODEL}:predict", content=body)
    assert response.status_code == 400
    assert list(response.json()) == ["error"]


def test_a_large_body_is_answered_as_a_small_one_is(numbers):
    status, answer = ask(numbers, f"{MODEL}:predict", {"instances": [float(each) for each in range(20_000)]})
    assert status == 200
    assert answer["predictions"][:3] == [3.0, 3.5, 4.0]
    assert len(answer["predictions"]) == 20_000
