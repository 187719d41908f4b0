"""The mirror of a bucket, over S3's own protocol."""

from datetime import timedelta

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


@on_a_loop
async def test_what_a_store_lists_on_its_last_page_is_found(bucket, keeper):
    versions = {f"shades/{number}": version_of(graph=b"%d" % number) for number in range(1, 1000)}
    bucket.put_many(
        {f"{where}/{path}": content for where, files in versions.items() for path, content in files.items()}
    )
    await keeper.sync()
    assert bucket.gate.listings == 3
    assert (keeper.failure, shown(keeper, "shades/998"), shown(keeper, "shades/999")) == ("", b"998", b"999")
    assert len(list(keeper.models.glob("shades/*"))) == 2


@on_a_loop
@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_store_whose_clock_is_a_little_off_is_followed(bucket, keeper, minutes):
    bucket.gate.clock_ahead = timedelta(minutes=minutes)
    for graph in (b"first", b"other"):
        bucket.put("shades/1", version_of(graph=graph))
        await keeper.sync()
        assert (keeper.failure, shown(keeper, "shades/1")) == ("", graph)


@on_a_loop
@pytest.mark.parametrize("minutes", [-20, 20])
async def test_clocks_that_are_too_far_apart_are_an_outage_that_says_so_and_ends_once_they_agree(
    bucket, keeper, minutes
):
    bucket.put("shades/1", version_of())
    await keeper.sync()
    bucket.put("shades/2", version_of(graph=b"newer"))
    bucket.gate.clock_ahead = timedelta(minutes=minutes)
    await keeper.sync()
    assert "difference between the request time and the current time is too large" in keeper.failure
    assert "this machine's clock" in keeper.failure
    assert [path.name for path in keeper.models.glob("shades/*")] == ["1"]
    bucket.gate.clock_ahead = timedelta()
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/2")) == ("", b"newer")


@on_a_loop
async def test_credentials_that_expire_between_a_listing_and_a_file_are_an_outage_that_says_so(
    bucket, keeper, monkeypatch
):
    bucket.put("shades/1", version_of())
    await keeper.sync()
    bucket.put("shades/2", version_of(graph=b"newer"))
    copy = Store.copy

    def expire_before_the_card(self, key, entry, target):
        bucket.gate.expired.add("test")
        copy(self, key, entry, target)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "copy", expire_before_the_card)
        await keeper.sync()
    assert "the store's credentials" in keeper.failure  # S3 gives no reason where a file is asked for
    await keeper.sync()
    assert "The provided token has expired" in keeper.failure
    assert [path.name for path in keeper.models.glob("shades/*")] == ["1"]
    bucket.gate.expired.clear()
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/2")) == ("", b"newer")
