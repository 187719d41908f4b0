"""The HTTP door of the Open Inference Protocol: paths, JSON, binary data behind it, and refusals."""

import base64
import json
from typing import Any, NamedTuple

import httpx
import numpy as np
import pytest

from tests.serving.choir import CHOIR, SHADES_1, SHADES_2
from tests.serving.doors.open_inference.asking import ENCODED, PICTURE, as_raw, rows_for
from tests.serving.fakes import PATIENCE
from tests.serving.oracle import Choir, softmax
from tests.serving.tiny import LABELS

JSON_LENGTH = "Inference-Header-Content-Length"


@pytest.fixture(scope="module")
def http(served):
    with httpx.Client(base_url=f"http://127.0.0.1:{served.server.http_port}", timeout=PATIENCE) as client:
        yield client


class Answer(NamedTuple):
    body: dict[str, Any]
    tensors: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def infer(http):
    """What the door answers; fails where that is a refusal."""

    def infer(body: dict[str, Any] | bytes, path: str = "/models/shades/infer", **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = http.post(f"/v2{path}", content=content, headers=headers)
        assert response.status_code == 200, response.text
        length = int(response.headers.get(JSON_LENGTH, len(response.content)))
        answered, rest = json.loads(response.content[:length]), response.content[length:]
        tensors = {}
        for output in answered["outputs"]:
            size = output.get("parameters", {}).get("binary_data_size", 0)
            listed = np.frombuffer(rest[:size], np.float32) if size else np.array(output["data"])
            tensors[output["name"]] = listed.reshape(output["shape"])
            rest = rest[size:]
        assert not rest
        return Answer(answered, tensors)

    return infer


@pytest.fixture(scope="module")
def refusal(http):
    """Status and message of a body that is not answered."""

    def refusal(body: dict[str, Any] | bytes, path: str = "/models/shades/infer", **headers: str) -> tuple[int, str]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = http.post(f"/v2{path}", content=content, headers=headers)
        assert set(response.json()) == {"error"}
        return response.status_code, response.json()["error"]

    return refusal


def rows_listed(**fields) -> dict[str, Any]:
    rows = rows_for()
    given = {"name": "pictures", "datatype": "UINT8", "shape": rows.shape, "data": rows.tolist()}
    return {"inputs": [{**given, **fields}]}


def behind(body: dict[str, Any], raw: bytes) -> tuple[bytes, dict[str, str]]:
    """A body in two parts, and the header that says so."""
    text = json.dumps(body).encode()
    return text + raw, {JSON_LENGTH: str(len(text))}


def binary(raw: bytes, **fields) -> dict[str, Any]:
    return {**fields, "parameters": {"binary_data_size": len(raw)}}


@pytest.mark.parametrize("data", [rows_for().tolist(), rows_for().ravel().tolist()], ids=["nested", "flat"])
def test_samples_are_listed_nested_or_flat(infer, data):
    answer = infer(rows_listed(data=data))
    np.testing.assert_allclose(answer.tensors["logits"], SHADES_2.logits(rows_for()), atol=1e-5)
    np.testing.assert_allclose(answer.tensors["probabilities"], softmax(SHADES_2.logits(rows_for())), atol=1e-5)
    assert answer.tensors["label"].tolist() == [LABELS[n] for n in SHADES_2.logits(rows_for()).argmax(axis=1)]


def test_listed_pictures_are_base64_and_parameters_are_minded(infer):
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [base64.b64encode(ENCODED).decode()]}
    answer = infer({"id": "a", "inputs": [image], "parameters": {"views": "ten"}}, "/models/choir/infer")
    np.testing.assert_allclose(answer.tensors["probabilities"], [CHOIR.probabilities(PICTURE, 4, 2)], atol=2e-5)
    assert (answer.body["id"], answer.body["model_name"], answer.body["model_version"]) == ("a", "choir", "")


def test_pictures_may_stand_behind_the_json(infer):
    raw = as_raw(ENCODED, ENCODED)
    body, headers = behind({"inputs": [binary(raw, name="image", datatype="BYTES", shape=[2, 1])]}, raw)
    answer = infer(body, **headers)
    np.testing.assert_allclose(
        answer.tensors["probabilities"], [Choir([SHADES_2]).probabilities(PICTURE)] * 2, atol=2e-5
    )


def test_answers_stand_behind_the_json_where_that_is_asked(infer):
    raw = rows_for().tobytes()
    inputs = [binary(raw, name="pictures", datatype="UINT8", shape=rows_for().shape)]
    outputs = [{"name": "probabilities"}, {"name": "logits", "parameters": {"binary_data": True}}]
    body, headers = behind({"inputs": inputs, "outputs": outputs}, raw)
    answer = infer(body, **headers)
    by_name = {output["name"]: output for output in answer.body["outputs"]}
    assert "data" in by_name["probabilities"]
    assert "data" not in by_name["logits"]
    np.testing.assert_allclose(answer.tensors["logits"], SHADES_2.logits(rows_for()), atol=1e-5)


def test_what_one_output_says_goes_before_what_the_request_says(infer):
    outputs = [{"name": "logits"}, {"name": "label", "parameters": {"binary_data": False}}]
    answer = infer({**rows_listed(), "outputs": outputs, "parameters": {"binary_data_output": True}})
    assert ["data" in output for output in answer.body["outputs"]] == [False, True]


def test_classification_is_listed_as_text(infer):
    outputs = [{"name": "probabilities", "parameters": {"classification": 1}}]
    texts = infer({**rows_listed(), "outputs": outputs}).tensors["probabilities"]
    assert texts.shape == (3, 1)
    assert [text.split(":")[2] for text in texts[:, 0]] == [
        LABELS[n] for n in SHADES_2.logits(rows_for()).argmax(axis=1)
    ]


@pytest.mark.parametrize(("version", "model"), [("2", SHADES_2), ("1", SHADES_1), ("production", SHADES_1)])
def test_a_version_stands_in_the_path(infer, version, model):
    answer = infer(rows_listed(), f"/models/shades/versions/{version}/infer")
    np.testing.assert_allclose(answer.tensors["logits"], model.logits(rows_for()), atol=1e-5)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "JSON"),
        (b'{"inputs": ' + b"[" * 100_000, "JSON"),
        ({"inputs": []}, "0 came"),
        ({"inputs": [{"name": "pictures"}] * 100}, "JSON"),
        ({**rows_listed(), "parameters": {"views": ["ten"]}}, "JSON"),
        ({**rows_listed(), "parameters": {"binary_data_output": 1}}, "true or false"),
        (rows_listed(data=None), "neither"),
        (rows_listed(data=[1, [2]]), "Samples are numbers"),
        (rows_listed(data=["a" * 100_000] * 3), "Samples are numbers"),
        (rows_listed(data=[0] * 5), "1296 elements; 5 came"),
        (rows_listed(data=[0.5] * 1296), "whole numbers"),
        (rows_listed(shape=["3"]), "JSON"),
        (rows_listed(shape=[10**30, 1]), "2147483648 elements"),
        (rows_listed(shape=[1] * 33), "32 dimensions"),
        (rows_listed(datatype="FP16", data=[1e6] * 1296), "at most 65504"),
        (rows_listed(datatype="BOOL", data=[1] * 1296), "true or false"),
        (rows_listed(data=[True] * 1296), "Samples are numbers"),
        (rows_listed(name="image", datatype="BYTES", shape=[1], data=["%"]), "base64"),
        (rows_listed(name="image", datatype="BYTES", shape=[1], data=[{}]), "base64"),
        (rows_listed(parameters={"shared_memory_region": "a"}), "shared_memory_region"),
        (rows_listed(parameters={"binary_data_size": 7}), "0 bytes"),
        (rows_listed(parameters={"binary_data_size": True}), "a number of bytes"),
        (rows_listed(parameters={"binary_data_size": -1}), "a number of bytes"),
        ({"inputs": [*rows_listed()["inputs"]] * 2}, "each input once"),
    ],
)
def test_a_body_that_is_no_question_is_refused_with_the_reason(refusal, body, words):
    status, message = refusal(body)
    assert status == 400
    assert words in message


@pytest.mark.parametrize("length", ["-1", "x", "99999999", "9" * 400, "1.0"])
def test_a_length_of_json_that_is_none_is_refused(refusal, length):
    assert refusal(rows_listed(), **{JSON_LENGTH: length})[0] == 400


def test_bytes_that_no_input_names_are_refused(refusal):
    body, headers = behind(rows_listed(), b"more")
    assert "nobody names" in refusal(body, **headers)[1]


def test_a_compressed_body_is_refused(refusal):
    assert "Do not compress" in refusal(b"x", **{"Content-Encoding": "gzip"})[1]


def test_a_model_that_is_not_served_is_not_found(http, refusal):
    assert refusal(rows_listed(), "/models/absent/infer")[0] == 404
    for path in ("/models/absent", "/models/absent/ready", "/models/shades/versions/9", "/models/absent/config"):
        response = http.get(f"/v2{path}")
        assert (response.status_code, set(response.json())) == (404, {"error"})


def test_models_are_loaded_elsewhere(refusal):
    for action in ("load", "unload"):
        assert "administration port" in refusal({}, f"/repository/models/shades/{action}")[1]


def test_the_server_and_its_models_are_ready(http):
    assert http.get("/v2/health/live").json() == {"live": True}
    assert http.get("/v2/health/ready").json() == {"ready": True}
    assert http.get("/v2/models/shades/ready").json() == {"name": "shades", "ready": True}
    assert http.get("/v2/models/shades/versions/1/ready").status_code == 200


def test_the_server_says_who_it_is(http):
    server = http.get("/v2").json()
    assert server["name"] == "tencrop"
    assert {"binary_tensor_data", "classification", "statistics"} <= set(server["extensions"])


def test_metadata_has_numbers_where_the_protocol_has(http):
    found = http.get("/v2/models/shades").json()
    assert (found["name"], found["versions"]) == ("shades", ["1", "2"])
    assert {"name": "pictures", "datatype": "UINT8", "shape": [-1, 12, 12, 3]} in found["inputs"]


def test_the_configuration_and_statistics_are_json(http, infer):
    config = http.get("/v2/models/shades/config").json()
    assert (config["max_batch_size"], config["input"][1]["data_type"]) == (1024, "TYPE_UINT8")
    infer(rows_listed())
    (stats,) = http.get("/v2/models/shades/versions/2/stats").json()["model_stats"]
    assert stats["inference_count"] >= 3
    assert stats["inference_stats"]["success"]["ns"] > 0
    assert len(http.get("/v2/models/stats").json()["model_stats"]) == 5


def test_what_perf_analyzer_reads_is_there_of_every_model_whoever_asked_it(http):
    """It parses JSON without asking whether a field is there, and versions as numbers."""
    for stats in http.get("/v2/models/stats").json()["model_stats"]:
        assert int(stats["version"]) >= 0
        assert {type(stats[field]) for field in ("inference_count", "execution_count")} == {int}
        durations = ("success", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss")
        for duration in durations:
            assert {type(stats["inference_stats"][duration][field]) for field in ("count", "ns")} == {int}
    for model in ("shades", "choir"):
        config, metadata = http.get(f"/v2/models/{model}/config").json(), http.get(f"/v2/models/{model}").json()
        assert config["max_batch_size"] > 0
        assert config["model_transaction_policy"] == {"decoupled": False}
        assert "dynamic_batching" in config
        assert "sequence_batching" not in config
        for field, told in (("input", "inputs"), ("output", "outputs")):
            assert [each["name"] for each in config[field]] == [each["name"] for each in metadata[told]]
        assert all(each["optional"] for each in config["input"])


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": true}'])
def test_the_index_lists_what_is_served(http, body):
    listed = http.post("/v2/repository/index", content=body).json()
    assert {"name": "shades", "version": "1", "state": "READY", "reason": ""} in listed
    assert len(listed) == 5


def test_an_index_that_is_asked_otherwise_is_refused(refusal):
    assert refusal(b"\xff", "/repository/index")[0] == 400
    assert refusal({"full": 1}, "/repository/index")[0] == 400
