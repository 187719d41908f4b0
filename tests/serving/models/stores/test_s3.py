"""The mirror of a bucket, over S3's own protocol."""

import pytest

from serving.errors import StoreFailed
from serving.metrics import Metrics
from serving.models.stores.keeper import Keeper
from serving.models.stores.store import Store
from tests.serving.loops import on_a_loop
from tests.serving.models.stores.buckets import Bucket
from tests.serving.models.stores.shops import version_of


@pytest.fixture
def bucket(monkeypatch):
    bucket = Bucket()
    for name, value in bucket.variables.items():
        monkeypatch.setenv(name, value)
    yield bucket
    bucket.close()


@pytest.fixture
def keeper(bucket, tmp_path):
    return Keeper.of(bucket.address, tmp_path, 0.0, Metrics().store_observer(bucket.address))


def shown(keeper, version):
    return (keeper.models / version / "saved_model.pb").read_bytes()


@on_a_loop
async def test_a_bucket_is_mirrored_and_followed(bucket, keeper):
    bucket.put("shades/1", version_of())
    bucket.put("shades", {"notes.txt": b"no model"})
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/1")) == ("", b"graph")
    bucket.put("shades/1", version_of(graph=b"changed"))
    bucket.put("shades/2", version_of(graph=bytes(20 * 2**20)))
    await keeper.sync()
    assert (shown(keeper, "shades/1"), shown(keeper, "shades/2")) == (b"changed", bytes(20 * 2**20))


@on_a_loop
async def test_a_store_that_stops_midway_leaves_what_is_mirrored_and_goes_on_where_it_ended(
    bucket, keeper, monkeypatch
):
    bucket.put("shades/1", version_of())
    await keeper.sync()
    bucket.put("shades/2", version_of(graph=b"newer"))
    copy = Store.copy

    def stop_after_the_card(self, key, entry, target):
        copy(self, key, entry, target)
        bucket.stop()

    with monkeypatch.context() as patch:
        patch.setattr(Store, "copy", stop_after_the_card)
        await keeper.sync()
    assert "could not be" in keeper.failure
    assert [path.name for path in keeper.models.glob("shades/*")] == ["1"]
    await keeper.sync()
    assert "could not be" in keeper.failure
    bucket.start()
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/1"), shown(keeper, "shades/2")) == ("", b"graph", b"newer")


@on_a_loop
async def test_a_bucket_that_is_not_there_is_an_outage(bucket, keeper, tmp_path):
    await keeper.sync()
    assert "lists none" in keeper.failure
    with pytest.raises(StoreFailed):
        Store("s3://nobodys/models").list()
