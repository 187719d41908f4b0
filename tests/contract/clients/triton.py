"""Triton's clients, tritonclient[grpc,http], against a server of tests/serving/choir.py."""

import queue

import checks
import numpy as np
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tritonclient.utils import InferenceServerException


def grpc_client(at):
    return over_grpc.InferenceServerClient(f"127.0.0.1:{at.grpc_port}")


def http_client(at):
    return over_http.InferenceServerClient(f"127.0.0.1:{at.http_port}")


def asked(module, name, datatype, array, **options):
    asked = module.InferInput(name, list(array.shape), datatype)
    asked.set_data_from_numpy(array, **options)
    return [asked]


def check_close(found, expected):
    np.testing.assert_allclose(found, expected, atol=2e-5)


def check_refused(call, words):
    assert words in checks.failure_of(call, InferenceServerException).message()


def check_ready(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("shades")
    assert client.is_model_ready("shades", "1")
    assert not client.is_model_ready("absent")


def grpc_says_what_is_ready(given):
    check_ready(grpc_client(given))


def http_says_what_is_ready(given):
    check_ready(http_client(given))


def grpc_describes_models(given):
    client = grpc_client(given)
    assert "classification" in client.get_server_metadata().extensions
    assert [each.name for each in client.get_model_metadata("shades").inputs] == ["image", "pictures"]
    config = client.get_model_config("shades", as_json=True)["config"]
    assert config["max_batch_size"] == 1024
    assert [each["data_type"] for each in config["input"]] == ["TYPE_STRING", "TYPE_UINT8"]


def http_describes_models(given):
    client = http_client(given)
    assert "classification" in client.get_server_metadata()["extensions"]
    assert [each["name"] for each in client.get_model_metadata("shades")["inputs"]] == ["image", "pictures"]
    assert client.get_model_config("shades")["input"][1]["dims"] == [12, 12, 3]


def grpc_asks_about_rows(given):
    answer = grpc_client(given).infer("shades", asked(over_grpc, "pictures", "UINT8", given.rows), request_id="7")
    check_close(answer.as_numpy("logits"), given.logits)
    check_close(answer.as_numpy("probabilities"), given.probabilities)
    assert [each.decode() for each in answer.as_numpy("label")] == given.labels
    assert answer.get_response().id == "7"
    assert answer.get_response().model_version == "2"


def http_asks_about_rows_in_binary(given):
    answer = http_client(given).infer("shades", asked(over_http, "pictures", "UINT8", given.rows), request_id="7")
    check_close(answer.as_numpy("logits"), given.logits)
    assert [each.decode() for each in answer.as_numpy("label")] == given.labels
    assert answer.get_response()["id"] == "7"


def http_asks_about_rows_in_json(given):
    inputs = asked(over_http, "pictures", "UINT8", given.rows, binary_data=False)
    outputs = [over_http.InferRequestedOutput(name, binary_data=False) for name in ("logits", "label")]
    answer = http_client(given).infer("shades", inputs, outputs=outputs, model_version="2")
    check_close(answer.as_numpy("logits"), given.logits)
    assert list(answer.as_numpy("label")) == given.labels


def grpc_asks_about_pictures(given):
    inputs = asked(over_grpc, "image", "BYTES", given.pictures)
    answer = grpc_client(given).infer("choir", inputs, parameters={"views": "ten", "vote": "mean-logit"}, priority=2)
    check_close(answer.as_numpy("probabilities"), [given.of_ten_views] * 2)


def http_asks_about_pictures(given):
    inputs = asked(over_http, "image", "BYTES", given.pictures.reshape(2, 1))
    client = http_client(given)
    answer = client.infer("choir", inputs, parameters={"views": "ten", "vote": "mean-logit"}, timeout=20_000_000)
    check_close(answer.as_numpy("probabilities"), [given.of_ten_views] * 2)


def check_plain(module, client):
    """A model without a card: int64 `numbers` and their successors, float64 `points` and half the sum of each."""
    assert client.is_model_ready("texts", "1")
    numbers, points = np.array([1, 2**40]), np.array([[1.0, 2.0], [0.25, 0.5]])
    inputs = [*asked(module, "numbers", "INT64", numbers), *asked(module, "points", "FP64", points)]
    answer = client.infer("texts", inputs, request_id="7")
    np.testing.assert_array_equal(answer.as_numpy("numbers"), numbers + 1)
    np.testing.assert_array_equal(answer.as_numpy("logits"), [1.5, 0.375])
    refused = asked(module, "numbers", "INT64", numbers)
    check_refused(lambda: client.infer("texts", refused), "add ['points']")


def grpc_asks_a_model_without_a_card(given):
    client = over_grpc.InferenceServerClient(f"127.0.0.1:{given.plain_grpc_port}")
    check_plain(over_grpc, client)
    metadata, config = client.get_model_metadata("texts"), client.get_model_config("texts").config
    assert [(each.name, each.datatype, list(each.shape)) for each in metadata.inputs] == [
        ("numbers", "INT64", [-1]),
        ("points", "FP64", [-1, 2]),
    ]
    assert config.max_batch_size == 1024
    (found,) = client.get_inference_statistics("texts", "1", as_json=True)["model_stats"]
    check_statistics("texts", 2, found)


def http_asks_a_model_without_a_card(given):
    client = over_http.InferenceServerClient(f"127.0.0.1:{given.plain_http_port}")
    check_plain(over_http, client)
    metadata, config = client.get_model_metadata("texts"), client.get_model_config("texts")
    assert {"name": "points", "datatype": "FP64", "shape": [-1, 2]} in metadata["inputs"]
    assert {"name": "points", "data_type": "TYPE_FP64", "dims": [2], "optional": False} in config["input"]
    (found,) = client.get_inference_statistics("texts", "1")["model_stats"]
    check_statistics("texts", 2, found)


def check_classes(texts, given):
    for text, row in zip(texts, given.probabilities, strict=True):
        (value, index, label), best = text[0].decode().split(":"), row.argmax()
        check_close(float(value), row[best])
        assert int(index) == best
        assert label in given.labels
    assert texts.shape == (len(given.rows), 2)


def grpc_asks_for_classes(given):
    inputs = asked(over_grpc, "pictures", "UINT8", given.rows)
    outputs = [over_grpc.InferRequestedOutput("probabilities", class_count=2)]
    check_classes(grpc_client(given).infer("shades", inputs, outputs=outputs).as_numpy("probabilities"), given)


def http_asks_for_classes(given):
    inputs = asked(over_http, "pictures", "UINT8", given.rows)
    outputs = [over_http.InferRequestedOutput("probabilities", class_count=2)]
    check_classes(http_client(given).infer("shades", inputs, outputs=outputs).as_numpy("probabilities"), given)


def grpc_asks_in_a_stream(given):
    answers = queue.Queue()
    with grpc_client(given) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))
        for row in given.rows:
            client.async_stream_infer("shades", asked(over_grpc, "pictures", "UINT8", row[None]))
        client.async_stream_infer("absent", asked(over_grpc, "pictures", "UINT8", given.rows))
        for logits in given.logits:
            result, error = answers.get(timeout=30)
            assert error is None, error
            check_close(result.as_numpy("logits"), [logits])
        _, error = answers.get(timeout=30)
        assert "'absent' is not" in error.message()
        client.stop_stream()


def grpc_tells_why_not(given):
    client = grpc_client(given)
    rows = asked(over_grpc, "pictures", "UINT8", given.rows)
    check_refused(lambda: client.infer("absent", rows), "'absent' is not")
    check_refused(lambda: client.infer("shades", rows, sequence_id=3), "sequence_id")
    check_refused(lambda: client.load_model("shades"), "administration port")


def http_tells_why_not(given):
    client = http_client(given)
    rows = asked(over_http, "pictures", "UINT8", given.rows)
    check_refused(lambda: client.infer("absent", rows), "'absent' is not")
    check_refused(lambda: client.infer("shades", rows, sequence_id=3), "sequence_id")
    check_refused(lambda: client.unload_model("shades"), "administration port")
    check_refused(lambda: client.infer("shades", rows, request_compression_algorithm="gzip"), "compress")


def check_statistics(name, count, found):
    assert found["name"] == name
    assert int(found["inference_count"]) >= count
    assert int(found["inference_stats"]["success"]["ns"]) > 0


def grpc_counts(given):
    client = grpc_client(given)
    client.infer("shades", asked(over_grpc, "pictures", "UINT8", given.rows))
    (found,) = client.get_inference_statistics("shades", "2", as_json=True)["model_stats"]
    check_statistics("shades", len(given.rows), found)


def http_counts(given):
    client = http_client(given)
    client.infer("shades", asked(over_http, "pictures", "UINT8", given.rows))
    (found,) = client.get_inference_statistics("shades", "2")["model_stats"]
    check_statistics("shades", len(given.rows), found)


def grpc_lists_models(given):
    listed = grpc_client(given).get_model_repository_index().models
    assert ("shades", "2", "READY") in [(each.name, each.version, each.state) for each in listed]


def http_lists_models(given):
    listed = http_client(given).get_model_repository_index()
    assert {"name": "shades", "version": "2", "state": "READY", "reason": ""} in listed


if __name__ == "__main__":
    checks.main(dict(globals()))
