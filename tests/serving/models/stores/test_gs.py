"""The mirror of a bucket of Google Cloud Storage, over its own protocol, as a service account reads it."""

import asyncio
import logging
from types import SimpleNamespace

import fsspec
import pytest

from serving.metrics import Metrics
from serving.models.stores.keeper import Keeper
from serving.models.stores.shelf import Version
from serving.models.stores.store import Store
from tests.serving.loops import on_a_loop
from tests.serving.models.stores.google_buckets import GoogleBucket
from tests.serving.models.stores.shops import version_of

# Google's packages warn of each grpcio below 1.83, and it stays at 1.81; gcsfs reads over HTTP.
pytestmark = pytest.mark.filterwarnings("ignore:.*does not support Post-Quantum Cryptography:FutureWarning")


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    bucket = GoogleBucket(tmp_path / "key.json")
    for name, value in bucket.variables.items():
        monkeypatch.setenv(name, value)
    yield bucket
    bucket.close()


@pytest.fixture
def keeper(bucket, tmp_path):
    return Keeper.of(bucket.address, tmp_path / "cache", 0.0, Metrics().store_observer(bucket.address))


@pytest.fixture
def impatient(keeper, monkeypatch):
    """gcsfs asks again at once, where it would wait for half a minute in all."""
    import gcsfs.retry

    monkeypatch.setattr(gcsfs.retry, "asyncio", SimpleNamespace(sleep=lambda _: asyncio.sleep(0)))


def shown(keeper, version):
    return (keeper.models / version / "saved_model.pb").read_bytes()


@on_a_loop
async def test_a_bucket_is_mirrored_and_followed(bucket, keeper):
    bucket.put("shades/1", {**version_of(), "assets/empty.txt": b""})
    bucket.put("shades", {"notes.txt": b"no model"})
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/1")) == ("", b"graph")
    assert (keeper.models / "shades/1/assets/empty.txt").read_bytes() == b""
    bucket.put("shades/1", version_of(graph=b"changed"))
    bucket.put("shades/2", version_of(graph=bytes(20 * 2**20)))
    await keeper.sync()
    assert (shown(keeper, "shades/1"), shown(keeper, "shades/2")) == (b"changed", bytes(20 * 2**20))


@on_a_loop
async def test_what_a_store_lists_on_its_last_page_is_found(bucket, keeper):
    for number in range(1, 10):
        bucket.put(f"shades/{number}", version_of(graph=b"%d" % number))
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/8"), shown(keeper, "shades/9")) == ("", b"8", b"9")


@on_a_loop
async def test_nothing_is_read_again_that_has_not_changed(bucket, keeper):
    bucket.put("shades/1", version_of())
    await keeper.sync()
    read = keeper._store.bytes_read
    await keeper.sync()
    assert keeper._store.bytes_read == read > 0


@on_a_loop
async def test_no_more_is_asked_for_than_to_read(bucket, keeper):
    bucket.put("shades/1", version_of())
    await keeper.sync()
    assert bucket.tokens == {"Bearer first https://www.googleapis.com/auth/devstorage.read_only"}


@pytest.mark.parametrize("spelling", ["gs", "gcs"])
@pytest.mark.parametrize("scheme", ["gs", "gcs"])
@on_a_loop
async def test_a_public_bucket_is_read_without_credentials_where_the_librarys_variable_says_so(
    bucket, tmp_path, monkeypatch, scheme, spelling
):
    address = bucket.address.replace("gs://", f"{scheme}://")
    keeper = Keeper.of(address, tmp_path / "cache", 0.0, Metrics().store_observer(address))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setitem(fsspec.config.conf, spelling, {"token": "anon"})  # FSSPEC_GS_TOKEN, which is read but once
    bucket.put("shades/1", version_of())
    bucket.tokens.add(None)
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/1")) == ("", b"graph")


@on_a_loop
async def test_a_file_that_is_forbidden_keeps_no_other_version_from_being_mirrored(bucket, keeper):
    bucket.put("shades/1", version_of())
    bucket.put("shades/2", version_of(graph=b"newer"))
    bucket.forbid("shades/2/saved_model.pb")
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/1")) == ("", b"graph")
    assert "does not have storage.objects.get access" in keeper.troubles[Version("shades", 2)]


@on_a_loop
async def test_a_store_that_stops_midway_leaves_what_is_mirrored_and_goes_on_where_it_ended(
    bucket, keeper, impatient, monkeypatch
):
    bucket.put("shades/1", version_of())
    await keeper.sync()
    bucket.put("shades/2", version_of(graph=b"newer"))
    tokens, copy = set(bucket.tokens), Store.copy

    def stop_after_the_card(self, key, entry, target):
        copy(self, key, entry, target)
        bucket.stop()

    with monkeypatch.context() as patch:
        patch.setattr(Store, "copy", stop_after_the_card)
        await keeper.sync()
    assert "could not be" in keeper.failure
    assert [path.name for path in keeper.models.glob("shades/*")] == ["1"]
    bucket.start()
    bucket.tokens.update(tokens)
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/1"), shown(keeper, "shades/2")) == ("", b"graph", b"newer")


@on_a_loop
async def test_a_key_that_is_revoked_is_told_once_and_a_renewed_one_is_taken_up(bucket, keeper, impatient, caplog):
    bucket.put("shades/1", version_of())
    await keeper.sync()
    bucket.put("shades/2", version_of(graph=b"newer"))
    bucket.revoke("first")
    for _ in range(2):
        await keeper.sync()
        assert "Invalid Credentials" in keeper.failure
        assert "the store's credentials" in keeper.failure
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1
    assert shown(keeper, "shades/1") == b"graph"
    bucket.renew("second")
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/2")) == ("", b"newer")


@on_a_loop
async def test_a_key_that_is_not_there_is_an_outage_that_says_so(bucket, keeper, monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    bucket.put("shades/1", version_of())
    await keeper.sync()
    assert "none.json was not found" in keeper.failure
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    await keeper.sync()
    assert (keeper.failure, shown(keeper, "shades/1")) == ("", b"graph")


@on_a_loop
async def test_a_bucket_without_models_is_an_outage(keeper):
    await keeper.sync()
    assert "lists none" in keeper.failure
