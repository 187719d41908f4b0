"""The standard services beside our own: health of the server and of every model, and reflection."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from protos import classification_pb2 as pb
from tests.serving.fakes import PATIENCE

SERVING = health_pb2.HealthCheckResponse.SERVING


SERVICES = ["tencrop.v1.Classification", "inference.GRPCInferenceService"]


@pytest.mark.parametrize("service", ["", *SERVICES, "choir", "greys", "shades", "tones"])
def test_the_server_and_every_model_are_healthy(served, service):
    stub = health_pb2_grpc.HealthStub(served.channel)
    assert stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE).status == SERVING


def test_the_health_of_a_model_that_is_not_served_is_not_known(served):
    stub = health_pb2_grpc.HealthStub(served.channel)
    with pytest.raises(grpc.RpcError) as error:
        stub.Check(health_pb2.HealthCheckRequest(service="absent"), timeout=PATIENCE)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def reflect(served, **question):
    stub = reflection_pb2_grpc.ServerReflectionStub(served.channel)
    asked = iter([reflection_pb2.ServerReflectionRequest(**question)])
    return next(iter(stub.ServerReflectionInfo(asked, timeout=PATIENCE)))


def test_reflection_lists_the_services(served):
    services = {service.name for service in reflect(served, list_services="").list_services_response.service}
    assert {*SERVICES, "grpc.health.v1.Health"} <= services


def test_reflection_describes_our_service(served):
    found = reflect(served, file_containing_symbol="tencrop.v1.Classification").file_descriptor_response
    assert pb.DESCRIPTOR.serialized_pb in found.file_descriptor_proto
