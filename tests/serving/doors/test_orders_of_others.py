"""What clients of other protocols order on the administration port; on the public one they cannot."""

import asyncio

import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub

from protos import open_inference_pb2 as pb
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from serving.models.tf_serving_config import layout_of, models_of
from tests.serving.fakes import PATIENCE
from tests.serving.models.disk import Disk
from tests.serving.running import running


def config(disk, *names) -> ReloadConfigRequest:
    listed = " ".join(f"config {{ name: '{name}' base_path: '{disk.root / name}' }}" for name in names)
    return text_format.Parse(f"config {{ model_config_list {{ {listed} }} }}", ReloadConfigRequest())


@pytest.fixture
def bases(tmp_path):
    bases = Disk(tmp_path / "bases")
    bases.add("shades", 1)
    bases.add("tones", 1)
    return bases


@pytest.fixture
def server(bases, tmp_path, loop):
    """Of shades, by a configuration."""
    disk = Disk(tmp_path / "root")
    disk.root.mkdir()
    layout_of(models_of(config(bases, "shades").config, "the test")).write(disk.root)

    def load(*_):
        manager = disk.manager()
        asyncio.run(manager.start())
        return manager

    with running(loop, load, poll_seconds=0, model_base_path=bases.root) as server:
        yield server


@pytest.fixture
def admin(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.server.admin_port}") as channel:
        yield channel


def names(server) -> list[str]:
    return server.server.repository.names


def test_a_configuration_is_taken_on_the_administration_port(server, admin, bases):
    answer = ModelServiceStub(admin).HandleReloadConfigRequest(config(bases, "tones"), timeout=PATIENCE)
    assert answer.status.error_code == 0
    assert names(server) == ["tones"]


def test_a_configuration_that_cannot_be_served_is_refused_with_the_reason(server, admin, bases):
    with pytest.raises(grpc.RpcError) as refused:
        ModelServiceStub(admin).HandleReloadConfigRequest(config(bases, "greys"), timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "base_path" in refused.value.details()
    assert names(server) == ["shades"]


def test_a_model_is_unloaded_and_loaded_as_tritons_clients_do(server, admin):
    stub = GRPCInferenceServiceStub(admin)
    unload = pb.RepositoryModelUnloadRequest(model_name="shades")
    unload.parameters["unload_dependents"].bool_param = False
    stub.RepositoryModelUnload(unload, timeout=PATIENCE)
    assert names(server) == []
    stub.RepositoryModelLoad(pb.RepositoryModelLoadRequest(model_name="shades"), timeout=PATIENCE)
    assert names(server) == ["shades"]
    (listed,) = stub.RepositoryIndex(pb.RepositoryIndexRequest(ready=True), timeout=PATIENCE).models
    assert (listed.name, listed.version, listed.state) == ("shades", "1", "READY")


def test_what_a_load_cannot_do_is_refused(server, admin):
    load = pb.RepositoryModelLoadRequest(model_name="shades")
    load.parameters["config"].string_param = "{}"
    with pytest.raises(grpc.RpcError) as refused:
        GRPCInferenceServiceStub(admin).RepositoryModelLoad(load, timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "models.yaml" in refused.value.details()


def test_the_administration_port_answers_no_questions(server, admin):
    with pytest.raises(grpc.RpcError) as refused:
        GRPCInferenceServiceStub(admin).ModelInfer(pb.ModelInferRequest(model_name="shades"), timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_public_port_names_the_other_one(server, bases):
    with pytest.raises(grpc.RpcError) as refused:
        ModelServiceStub(server.channel).HandleReloadConfigRequest(config(bases, "tones"), timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "8502" in refused.value.details()
