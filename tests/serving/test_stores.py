"""A server whose models are in a store, which goes away while it answers."""

import asyncio

import grpc
import pytest

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from serving.errors import ModelRejected
from serving.metrics import Metrics
from serving.models.stores.address import local_models
from serving.settings import Settings
from tests.serving.choir import SHADES_1
from tests.serving.loops import eventually
from tests.serving.models.stores.buckets import Bucket
from tests.serving.models.stores.google_buckets import GoogleBucket
from tests.serving.processes import PATIENCE, tencrop_serve

GREY = pb.ClassifyRequest(
    tensor=pb.Tensor(data_type=pb.Tensor.DATA_TYPE_UINT8, shape=[16, 16, 3], content=bytes(16 * 16 * 3))
)


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    bucket = Bucket()
    for name, value in bucket.variables.items():
        monkeypatch.setenv(name, value)
    bucket.put_directory("shades/1", SHADES_1.publish(tmp_path / "published"))
    yield bucket
    bucket.close()


def test_models_in_google_cloud_storage_are_served(monkeypatch, tmp_path):
    bucket = GoogleBucket(tmp_path / "key.json")
    try:
        for name, value in bucket.variables.items():
            monkeypatch.setenv(name, value)
        bucket.put_directory("shades/1", SHADES_1.publish(tmp_path / "published"))
        with (
            tencrop_serve(bucket.address, cache_directory=tmp_path / "cache") as server,
            grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
        ):
            assert server.metric("tencrop_store_up") == 1
            assert ClassificationStub(channel).Classify(GREY, timeout=PATIENCE).label
    finally:
        bucket.close()


def test_an_outage_of_the_store_leaves_the_server_answering_and_is_seen_in_metrics(bucket, tmp_path):
    with (
        tencrop_serve(bucket.address, cache_directory=tmp_path / "cache", store_poll_seconds=0.1) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
    ):
        stub = ClassificationStub(channel)
        assert server.metric("tencrop_store_up") == 1
        bucket.stop()
        eventually(lambda: server.metric("tencrop_store_up") == 0)
        assert stub.Classify(GREY, timeout=PATIENCE).label
        bucket.start()
        eventually(lambda: server.metric("tencrop_store_up") == 1)
    outages = [line for line in server.printed if "Models are served as they were mirrored before" in line]
    assert len(outages) == 1


def test_a_server_that_starts_while_the_store_is_out_serves_what_was_mirrored(bucket, tmp_path):
    settings = {"cache_directory": tmp_path / "cache", "store_poll_seconds": 60.0}
    with tencrop_serve(bucket.address, **settings):
        pass
    bucket.stop()
    with (
        tencrop_serve(bucket.address, **settings) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
    ):
        assert server.metric("tencrop_store_up") == 0
        assert ClassificationStub(channel).Classify(GREY, timeout=PATIENCE).label
    bucket.start()


def test_credentials_that_expire_are_told_and_renewed_ones_are_taken_up(bucket, tmp_path, monkeypatch):
    renewed = tmp_path / "credentials"

    def renew(key):
        renewed.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = test\n")

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(renewed))
    renew("old")
    with (
        tencrop_serve(bucket.address, cache_directory=tmp_path / "cache", store_poll_seconds=0.1) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
    ):
        stub = ClassificationStub(channel)
        bucket.gate.expired.add("old")
        eventually(lambda: server.metric("tencrop_store_up") == 0)
        assert stub.Classify(GREY, timeout=PATIENCE).label
        renew("new")
        eventually(lambda: server.metric("tencrop_store_up") == 1)
        assert stub.Classify(GREY, timeout=PATIENCE).label
    outages = [line for line in server.printed if "Models are served as they were mirrored before" in line]
    assert [("The provided token has expired" in line, "credentials" in line) for line in outages] == [(True, True)]


def test_the_declaration_in_a_store_cannot_make_its_models_trusted(tmp_path, caplog):
    from serving.supply import manager_of  # imports TensorFlow

    settings = Settings(models="s3://bucket/models", cache_directory=tmp_path)
    root = local_models(settings.models, tmp_path)
    SHADES_1.publish(root, gate=tmp_path / "gate")
    (root / "models.yaml").write_text("models: {shades: {allow_operations: [MatchingFiles], engine: tensorflow}}")
    with pytest.raises(ModelRejected, match="could be loaded"):
        asyncio.run(manager_of(settings, Metrics()).start())
    assert "allow_operations is for models in a directory" in caplog.text
    assert "a MatchingFiles" in caplog.text
    trusting = settings.model_copy(update={"allow_unsafe_models": True, "max_batch_size": 1})
    assert asyncio.run(manager_of(trusting, Metrics()).start()).names == ["shades"]
