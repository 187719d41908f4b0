"""A client that knows nothing but reflection, grpc-requests, finds every service on the port and asks it."""

import base64

import pytest
from grpc_requests import Client

from tests.serving.picture_files import file_of, noise

PICTURE = base64.b64encode(file_of(noise(16, 20))).decode()
"""Bytes in a dictionary are what protobuf's JSON makes of them."""


@pytest.fixture(scope="module")
def client(served):
    return Client.get_by_endpoint(served.address)


def test_it_finds_every_service(client):
    assert set(client.service_names) >= {
        "tencrop.v1.Classification",
        "inference.GRPCInferenceService",
        "grpc.health.v1.Health",
    }


def test_it_can_describe_every_method_of_every_service(client):
    described = {
        name: [client.describe_request(name, method) for method in client.service(name).method_names]
        for name in client.service_names
    }
    assert all(described.values())


def test_it_classifies(client):
    question = {"model": {"name": "shades"}, "encoded": PICTURE}
    assert client.request("tencrop.v1.Classification", "Classify", question)["label"]


def test_it_infers(client):
    contents = {"bytes_contents": [PICTURE]}
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "contents": contents}
    answer = client.request("inference.GRPCInferenceService", "ModelInfer", {"model_name": "shades", "inputs": [image]})
    assert [output["name"] for output in answer["outputs"]] == ["logits", "probabilities", "label"]


def test_it_asks_for_health(client):
    assert client.request("grpc.health.v1.Health", "Check", {"service": ""})["status"] == "SERVING"
