"""SavedModels without a card, asked for their tensors by the Open Inference Protocol, over gRPC and HTTP."""

import json
import shutil
from typing import Any

import grpc
import httpx
import ml_dtypes
import numpy as np
import pytest

from protos import open_inference_pb2 as pb
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from tests.serving.choir import SHADES_1
from tests.serving.doors import plain_models
from tests.serving.doors.open_inference.asking import about_rows, as_raw, outputs_of, parameters, rows_for
from tests.serving.doors.plain_models import ECHO, NAME
from tests.serving.fakes import PATIENCE
from tests.serving.running import of_models

Input, Output = pb.ModelInferRequest.InferInputTensor, pb.ModelInferRequest.InferRequestedOutputTensor

GIVEN: dict[str, np.ndarray] = {
    "BOOL": np.array([True, False]),
    "UINT8": np.array([0, 255], np.uint8),
    "UINT16": np.array([0, 2**16 - 1], np.uint16),
    "UINT32": np.array([0, 2**32 - 1], np.uint32),
    "UINT64": np.array([0, 2**64 - 1], np.uint64),
    "INT8": np.array([-128, 127], np.int8),
    "INT16": np.array([-(2**15), 2**15 - 1], np.int16),
    "INT32": np.array([-(2**31), 2**31 - 1], np.int32),
    "INT64": np.array([-(2**63), 2**63 - 1], np.int64),
    "FP16": np.array([0.5, -65504], np.float16),
    "FP32": np.array([0.1, -3e38], np.float32),
    "FP64": np.array([0.1, 1e300]),
    "BF16": np.array([1.5, -3e38], ml_dtypes.bfloat16),
    "BYTES": np.array(["boot", "Stärke"], object),
}
"""Two of each type, the bounds of its range where it has some."""
UNLISTED = {"FP16", "BF16"}
"""What gRPC lists nowhere."""
FIELDS = {
    **dict.fromkeys(["UINT8", "UINT16", "UINT32"], "uint_contents"),
    **dict.fromkeys(["INT8", "INT16", "INT32"], "int_contents"),
    **{name: f"{name.lower()}_contents" for name in ("BOOL", "UINT64", "INT64", "FP32", "FP64", "BYTES")},
}
POINTS = np.array([[1.0, 2.0], [0.25, 0.5]])


@pytest.fixture(scope="module")
def server(loop, tmp_path_factory):
    """Over plain models, and one with a version of each kind, of which the newest has a card."""
    root, aside = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("aside")
    for save in (plain_models.save_echo, plain_models.save_complex, plain_models.save_nameless):
        save(root)
    shutil.copytree(plain_models.save(root, 1), root / "both" / "1")
    SHADES_1.publish(aside).rename(root / "both" / "2")
    (root / "models.yaml").write_text("models: {both: {versions: all}}")
    with of_models(root, loop, settle_seconds=0) as server:
        yield server


@pytest.fixture(scope="module")
def stub(server):
    return GRPCInferenceServiceStub(server.channel)


@pytest.fixture(scope="module")
def http(server):
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server.http_port}/v2", timeout=PATIENCE) as client:
        yield client


def raw_of(array: np.ndarray) -> bytes:
    if array.dtype != object:
        return array.tobytes()
    return as_raw(*(each.encode() if isinstance(each, str) else each for each in array.ravel()))


def array_of(datatype: str, shape, raw: bytes) -> np.ndarray:
    if datatype != "BYTES":
        return np.frombuffer(raw, GIVEN[datatype].dtype).reshape(shape)
    elements = []
    while raw:
        length = int.from_bytes(raw[:4], "little")
        elements.append(raw[4 : 4 + length].decode())
        raw = raw[4 + length :]
    return np.array(elements, object).reshape(shape)


def raw_request(model: str, version: str = "", **inputs: tuple[str, np.ndarray]) -> pb.ModelInferRequest:
    """Of tensors by name, each with its datatype."""
    return pb.ModelInferRequest(
        model_name=model,
        model_version=version,
        id="7",
        inputs=[Input(name=name, datatype=datatype, shape=array.shape) for name, (datatype, array) in inputs.items()],
        raw_input_contents=[raw_of(array) for _, array in inputs.values()],
    )


def of_texts(count: int = 2, **changed) -> pb.ModelInferRequest:
    """What the signature of `texts` takes, unless `changed` says otherwise."""
    inputs = {"numbers": ("INT64", np.arange(count)), "points": ("FP64", np.resize(POINTS, (count, 2)))}
    return raw_request(NAME, **{**inputs, **changed})


ECHOED = {name: (name, array) for name, array in GIVEN.items()}


def test_every_type_goes_in_and_comes_out_raw(stub):
    response = stub.ModelInfer(raw_request(ECHO, **ECHOED), timeout=PATIENCE)
    assert (response.model_name, response.model_version, response.id) == (ECHO, "1", "7")
    found = {
        each.name: array_of(each.datatype, each.shape, raw)
        for each, raw in zip(response.outputs, response.raw_output_contents, strict=True)
    }
    assert found.pop("first").tolist() == "boot"
    assert {each.name: each.datatype for each in response.outputs if each.name != "first"} == {n: n for n in GIVEN}
    for name, array in found.items():
        np.testing.assert_array_equal(array, GIVEN[name], name)


def test_every_type_that_grpc_lists_goes_in_and_comes_out_listed(stub):
    request = raw_request(ECHO, **ECHOED)
    request.ClearField("raw_input_contents")
    for given in request.inputs:
        if given.name not in UNLISTED:
            elements = GIVEN[given.name].tolist()
            listed = [each.encode() for each in elements] if given.name == "BYTES" else elements
            getattr(given.contents, FIELDS[given.name]).extend(listed)
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(request, timeout=PATIENCE)
    assert "Elements of FP16 have no field" in refused.value.details()
    request = of_texts()
    request.ClearField("raw_input_contents")
    request.inputs[0].contents.int64_contents.extend([0, 1])
    request.inputs[1].contents.fp64_contents.extend(POINTS.ravel())
    response = stub.ModelInfer(request, timeout=PATIENCE)
    assert not response.raw_output_contents
    listed = {each.name: each.contents for each in response.outputs}
    assert list(listed["numbers"].int64_contents) == [1, 2]
    assert list(listed["logits"].fp64_contents) == [1.5, 0.375]


def json_input(name: str, array: np.ndarray) -> dict[str, Any]:
    wide = array.astype(np.float32) if name == "BF16" else array
    return {"name": name, "datatype": name, "shape": array.shape, "data": wide.tolist()}


def test_every_type_goes_in_and_comes_out_in_json(http):
    body = {"inputs": [json_input(*each) for each in GIVEN.items()]}
    answer = http.post(f"/models/{ECHO}/infer", json=body).raise_for_status().json()
    outputs = {each["name"]: each for each in answer["outputs"]}
    assert (outputs["first"]["shape"], outputs["first"]["data"]) == ([], ["boot"])
    for name, array in GIVEN.items():
        assert outputs[name]["datatype"] == name
        np.testing.assert_array_equal(np.array(outputs[name]["data"], array.dtype), array, name)


def test_every_type_goes_in_and_comes_out_behind_the_json(http):
    raws = {name: raw_of(array) for name, array in GIVEN.items()}
    inputs = [
        {"name": name, "datatype": name, "shape": [2], "parameters": {"binary_data_size": len(raw)}}
        for name, raw in raws.items()
    ]
    text = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    length = "Inference-Header-Content-Length"
    response = http.post(
        f"/models/{ECHO}/versions/1/infer", content=text + b"".join(raws.values()), headers={length: str(len(text))}
    ).raise_for_status()
    text, rest = response.content[: int(response.headers[length])], response.content[int(response.headers[length]) :]
    for output in json.loads(text)["outputs"]:
        size = output["parameters"]["binary_data_size"]
        found, rest = array_of(output["datatype"], output["shape"], rest[:size]), rest[size:]
        np.testing.assert_array_equal(found, GIVEN.get(output["name"], "boot"), output["name"])
    assert not rest


def test_some_inputs_may_be_listed_and_others_in_binary(http):
    points = {"name": "points", "datatype": "FP64", "shape": [1, 2], "parameters": {"binary_data_size": 16}}
    numbers = {"name": "numbers", "datatype": "INT64", "shape": [1], "data": [4]}
    text = json.dumps({"inputs": [points, numbers], "outputs": [{"name": "logits"}]}).encode()
    response = http.post(
        f"/models/{NAME}/infer",
        content=text + POINTS[:1].tobytes(),
        headers={"Inference-Header-Content-Length": str(len(text))},
    )
    assert [(each["name"], each["data"]) for each in response.json()["outputs"]] == [("logits", [1.5])]


def test_only_outputs_that_are_wanted_come_and_in_that_order(stub):
    request = of_texts()
    request.outputs.extend([Output(name="numbers"), Output(name="logits")])
    assert [each.name for each in stub.ModelInfer(request, timeout=PATIENCE).outputs] == ["numbers", "logits"]


def test_a_stream_answers_models_of_both_kinds(stub):
    requests = [of_texts(), about_rows(rows_for(SHADES_1), "both"), of_texts(points=("FP64", POINTS[:, :1]))]
    plain, pictures, refused = stub.ModelStreamInfer(iter(requests), timeout=PATIENCE)
    assert [each.name for each in plain.infer_response.outputs] == ["logits", "numbers"]
    np.testing.assert_allclose(
        outputs_of(pictures.infer_response)["logits"], SHADES_1.logits(rows_for(SHADES_1)), atol=1e-5
    )
    assert "[2, 1] came" in refused.error_message


def without(request: pb.ModelInferRequest, position: int) -> pb.ModelInferRequest:
    del request.inputs[position], request.raw_input_contents[position]
    return request


def wanting(name: str, **chosen) -> pb.ModelInferRequest:
    request = of_texts()
    request.outputs.add(name=name, parameters=parameters(**chosen))
    return request


def with_parameters(**chosen) -> pb.ModelInferRequest:
    request = of_texts()
    request.MergeFrom(pb.ModelInferRequest(parameters=parameters(**chosen)))
    return request


INVALID = "INVALID_ARGUMENT"
REFUSED = {
    "an input too few": (without(of_texts(), 1), INVALID, "add ['points']"),
    "no input": (without(without(of_texts(), 1), 0), INVALID, "add ['numbers', 'points']"),
    "an input too many": (of_texts(x=("INT64", np.zeros(1, np.int64))), INVALID, "Leave out ['x']"),
    "another type": (of_texts(numbers=("INT32", np.zeros(2, np.int32))), INVALID, "'numbers' is INT64 of shape [-1]"),
    "another shape": (of_texts(points=("FP64", np.zeros((2, 3)))), INVALID, "[-1, 2]; FP64 of shape [2, 3] came"),
    "an unknown output": (wanting("scores"), INVALID, "gives the outputs ['logits', 'numbers']"),
    "classes": (wanting("logits", classification=2), INVALID, "which a card names"),
    "views": (with_parameters(views="ten"), INVALID, "views came"),
    "a priority": (with_parameters(priority=1), INVALID, "priority came"),
    "a sequence": (with_parameters(sequence_id=4), INVALID, "'sequence_id'"),
    "no time": (with_parameters(timeout=-1), INVALID, "microseconds"),
    "an unknown version": (raw_request(NAME, "9"), "NOT_FOUND", "version 9 is not"),
    "a type that the protocol has not": (
        raw_request("complex", z=("FP32", np.zeros(1, np.float32))),
        INVALID,
        "DT_COMPLEX64",
    ),
    "no default signature": (
        raw_request("nameless", x=("FP32", np.zeros((), np.float32))),
        "FAILED_PRECONDITION",
        "'serving_default' was asked",
    ),
    "a version with a card": (raw_request("both", "2", x=("FP32", np.zeros(1, np.float32))), INVALID, "'x' came"),
}


@pytest.mark.parametrize(("request_", "status", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_answered_is_refused_with_the_reason(stub, request_, status, words):
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(request_, timeout=PATIENCE)
    assert (refused.value.code().name, words in refused.value.details()) == (status, True), refused.value.details()


def test_bytes_that_are_no_text_come_in_binary_alone(server, http, stub):
    given = {**ECHOED, "BYTES": ("BYTES", np.array([b"\xff", b""], object))}
    assert stub.ModelInfer(raw_request(ECHO, **given), timeout=PATIENCE).raw_output_contents
    raw = as_raw(b"\xff", b"")
    inputs = [json_input(*each) for each in GIVEN.items() if each[0] != "BYTES"]
    inputs.append({"name": "BYTES", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(raw)}})
    text = json.dumps({"inputs": inputs}).encode()
    headers = {"Inference-Header-Content-Length": str(len(text))}
    labels = {"method": "POST /v2/infer", "model": ECHO}

    def counted() -> list[float]:
        """Requests by status, and what statistics tell of them."""
        stats = http.get(f"/models/{ECHO}/stats").json()["model_stats"][0]["inference_stats"]
        by_status = [
            server.sample("tencrop_request_duration_seconds_count", **labels, views=views, status=status)
            for views, status in (("", "OK"), ("0", "INVALID_ARGUMENT"))
        ]
        return [*by_status, stats["success"]["count"], stats["fail"]["count"]]

    before = counted()
    response = http.post(f"/models/{ECHO}/infer", content=text + raw, headers=headers)
    assert response.status_code == 400
    assert "Ask for binary data" in response.json()["error"]
    assert np.subtract(counted(), before).tolist() == [0, 1, 0, 1]


def test_numbers_that_json_has_not_stand_in_it_bare_and_in_binary_as_they_are(http):
    request = {"inputs": [json_input(*each) for each in GIVEN.items()], "outputs": [{"name": "FP32"}]}
    next(each for each in request["inputs"] if each["name"] == "FP32")["data"] = [float("nan"), float("-inf")]
    answer = http.post(f"/models/{ECHO}/infer", content=json.dumps(request)).raise_for_status()
    assert '"data": [NaN, -Infinity]' in answer.text
    request["parameters"] = {"binary_data_output": True}
    answer = http.post(f"/models/{ECHO}/infer", content=json.dumps(request)).raise_for_status()
    found = np.frombuffer(answer.content[int(answer.headers["Inference-Header-Content-Length"]) :], np.float32)
    np.testing.assert_array_equal(found, [np.nan, -np.inf])


def test_halves_of_characters_are_refused(http):
    inputs = [json_input(name, array) for name, array in GIVEN.items()]
    inputs[-1]["data"] = ["a", "\ud800"]
    assert http.post(f"/models/{ECHO}/infer", content=json.dumps({"inputs": inputs})).status_code == 400


def test_its_metadata_are_those_of_its_default_signature(stub, http):
    found = stub.ModelMetadata(pb.ModelMetadataRequest(name=NAME), timeout=PATIENCE)
    assert (found.platform, list(found.versions)) == ("tensorflow_savedmodel", ["1"])
    assert {each.name: (each.datatype, list(each.shape)) for each in found.inputs} == {
        "numbers": ("INT64", [-1]),
        "points": ("FP64", [-1, 2]),
    }
    assert http.get(f"/models/{NAME}").json()["outputs"] == [
        {"name": "logits", "datatype": "FP64", "shape": [-1]},
        {"name": "numbers", "datatype": "INT64", "shape": [-1]},
    ]
    echo = http.get(f"/models/{ECHO}").json()
    assert {each["name"]: each["datatype"] for each in echo["inputs"]} == {name: name for name in GIVEN}
    assert {"name": "first", "datatype": "BYTES", "shape": []} in echo["outputs"]


@pytest.mark.parametrize("version", ["", "1", "2"])
def test_a_version_is_described_by_what_lies_beside_it(stub, version):
    found = stub.ModelMetadata(pb.ModelMetadataRequest(name="both", version=version), timeout=PATIENCE)
    names = [each.name for each in found.inputs]
    assert names == (["numbers", "points"] if version == "1" else ["image", "pictures"])


def test_the_first_dimension_is_the_batchs_where_all_tensors_have_it_open(stub, http):
    config = stub.ModelConfig(pb.ModelConfigRequest(name=NAME), timeout=PATIENCE).config
    assert (config.max_batch_size, config.HasField("dynamic_batching")) == (1024, False)
    assert {each.name: (list(each.dims), each.optional) for each in config.input} == {
        "numbers": ([1], False),
        "points": ([2], False),
    }
    echo = http.get(f"/models/{ECHO}/config").json()
    assert (echo["max_batch_size"], echo["input"][0]["dims"]) == (0, [2])
    assert "dynamic_batching" not in echo
    types = {each["name"]: each["data_type"] for each in echo["input"]}
    assert types == {name: f"TYPE_{'STRING' if name == 'BYTES' else name}" for name in GIVEN}


def test_what_cannot_be_described_says_why(http):
    assert "DT_COMPLEX64" in http.get("/models/complex").json()["error"]
    assert "'serving_default' was asked" in http.get("/models/nameless/config").json()["error"]


def test_it_is_ready(stub, http):
    assert stub.ModelReady(pb.ModelReadyRequest(name=NAME, version="1"), timeout=PATIENCE).ready
    assert http.get(f"/models/{NAME}/ready").status_code == 200


@pytest.mark.parametrize(("request_", "inferences"), [(of_texts(5), 5), (raw_request(ECHO, **ECHOED), 1)])
def test_statistics_count_rows_runs_and_where_the_time_went(stub, request_, inferences):
    def counted() -> pb.ModelStatistics:
        asked = pb.ModelStatisticsRequest(name=request_.model_name)
        (stats,) = stub.ModelStatistics(asked, timeout=PATIENCE).model_stats
        return stats

    before = counted()
    stub.ModelInfer(request_, timeout=PATIENCE)
    with pytest.raises(grpc.RpcError):
        stub.ModelInfer(pb.ModelInferRequest(model_name=request_.model_name), timeout=PATIENCE)
    after = counted()
    assert after.inference_count - before.inference_count == inferences
    assert after.execution_count - before.execution_count == 1
    of, were = after.inference_stats, before.inference_stats
    assert (of.success.count - were.success.count, of.fail.count - were.fail.count) == (1, 1)
    assert of.queue.count - were.queue.count == 1
    assert 0 < of.compute_infer.ns - were.compute_infer.ns < of.success.ns - were.success.ns


def test_requests_are_counted_with_those_of_other_doors(server, stub):
    labels = {"method": "ModelInfer", "model": NAME, "views": "", "status": "OK"}
    before = server.sample("tencrop_request_duration_seconds_count", **labels)
    stub.ModelInfer(of_texts(), timeout=PATIENCE)
    assert server.sample("tencrop_request_duration_seconds_count", **labels) == before + 1
