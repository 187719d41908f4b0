"""A mirror follows a store: what a repository sees of it, whatever the store lists."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from serving.errors import ModelRejected, StoreFailed
from serving.models.stores import mirror as mirrors
from serving.models.stores.planning import GONE_SECONDS
from serving.models.stores.shelf import Version
from tests.serving.models.stores.shops import CARD, SETTLE_SECONDS, Shop, version_of

SHADES = Version("shades", 1)


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "mirror")


def test_a_version_is_shown_as_it_is_in_the_store(shop):
    shop.put("shades/1", version_of())
    assert shop.follow().fetched == [SHADES]
    assert shop.shown("shades/1") == version_of()


def test_files_beside_the_models_are_shown_and_go_when_the_store_has_them_no_more(shop):
    shop.put("shades/1", version_of())
    shop.put(".", {"models.yaml": b"labels: {}", "choir.card.json": b"{}", "README.md": b"no"})
    shop.follow()
    assert (shop.mirror.models / "models.yaml").read_bytes() == b"labels: {}"
    shop.remove("models.yaml")
    shop.follow()
    assert sorted(path.name for path in shop.mirror.models.iterdir()) == ["choir.card.json", "shades"]


def test_nothing_is_read_again_that_has_not_changed(shop):
    shop.put("shades/1", version_of())
    shop.follow()
    before = shop.store.bytes_read
    shop.restart()
    assert shop.follow().fetched == []
    assert shop.store.bytes_read == before


def test_of_a_version_that_changed_only_what_changed_is_read(shop):
    shop.put("shades/1", version_of())
    shop.follow()
    before = shop.store.bytes_read
    changed = version_of(graph=b"other")
    shop.put("shades/1", {path: changed[path] for path in ("saved_model.pb", CARD)})
    shop.follow()
    assert shop.shown("shades/1") == changed
    assert shop.store.bytes_read - before == len(b"other") + len(changed[CARD])


def test_a_version_that_is_half_uploaded_is_waited_for(shop):
    files = version_of()
    missing = files.pop("variables/variables.data")
    shop.put("shades/1", files)
    assert "'variables/variables.data' of 7 bytes; it is not there yet" in shop.follow().waiting[SHADES]
    shop.put("shades/1", {"variables/variables.data": missing[:3]})
    assert "it has 3 bytes yet" in shop.follow().waiting[SHADES]
    assert shop.versions() == []
    shop.put("shades/1", {"variables/variables.data": missing})
    assert shop.follow().fetched == [SHADES]


def test_while_a_newer_version_is_uploaded_the_older_one_stays(shop):
    shop.put("shades/1", version_of())
    shop.follow()
    shop.put("shades/2", {CARD: version_of()[CARD]})
    assert list(shop.follow().waiting) == [Version("shades", 2)]
    assert shop.versions() == ["shades/1"]


def test_a_version_without_a_card_is_fetched_once_no_more_files_come(shop):
    shop.put("plain/1", {"saved_model.pb": b"graph"})
    assert list(shop.follow().waiting) == [Version("plain", 1)]
    shop.clock.advance(SETTLE_SECONDS - 1)
    shop.put("plain/1", {"variables/variables.index": b"w"})
    assert list(shop.follow().waiting) == [Version("plain", 1)]
    shop.clock.advance(SETTLE_SECONDS)
    assert shop.follow().fetched == [Version("plain", 1)]


@pytest.mark.parametrize("days", [-400, 400])
def test_a_version_settles_by_our_clock_however_far_the_stores_is_off(shop, days):
    shop.put("plain/1", {"saved_model.pb": b"graph"})
    shop.set_clock("plain/1", datetime.now(timezone.utc) + timedelta(days=days))
    assert list(shop.follow().waiting) == [Version("plain", 1)]
    shop.clock.advance(SETTLE_SECONDS)
    assert shop.follow().fetched == [Version("plain", 1)]
    assert shop.follow().fetched == []


@pytest.mark.parametrize("days", [-400, 400])
def test_what_a_store_without_etags_changes_is_seen_though_its_clock_jumps(shop, days):
    shop.put("shades/1", version_of())
    shop.follow()
    shop.put("shades/1", version_of(graph=b"other"))
    shop.set_clock("shades/1", datetime.now(timezone.utc) + timedelta(days=days))
    assert shop.follow().fetched == [SHADES]
    assert shop.shown("shades/1") == version_of(graph=b"other")


def test_files_that_are_not_what_the_card_lists_are_refused_once(shop):
    shop.put("shades/1", {**version_of(), "saved_model.pb": b"grapi"})
    assert "'saved_model.pb'" in shop.follow().refused[SHADES]
    before = shop.store.bytes_read
    assert list(shop.follow().refused) == [SHADES]
    assert (shop.store.bytes_read, shop.versions()) == (before, [])
    shop.put("shades/1", {"saved_model.pb": b"graph"})
    done = shop.follow()
    assert (done.fetched, done.refused) == ([SHADES], {})


def test_one_version_that_is_refused_keeps_no_other_from_being_fetched(shop):
    shop.put("shades/2", {**version_of(), CARD: b"{"})
    shop.put("shades/1", version_of())
    shop.put("tones/1", version_of())
    assert list(shop.follow().refused) == [Version("shades", 2)]
    assert shop.versions() == ["shades/1", "tones/1"]


def test_a_version_that_left_the_store_is_hidden_after_a_while_and_its_files_go(shop):
    shop.put("shades/1", version_of())
    shop.put("shades/2", version_of(graph=b"newer"))
    shop.follow()
    shop.remove("shades/2")
    shop.follow()
    shop.clock.advance(GONE_SECONDS)
    assert shop.follow().hidden == [Version("shades", 2)]
    assert shop.versions() == ["shades/1"]
    assert len(list((shop.root / "contents").glob("*/*"))) == 1


def test_the_files_of_a_version_in_use_stay_until_it_is_no_more(shop):
    shop.put("shades/1", version_of())
    shop.put("tones/1", version_of())
    shop.follow()
    shop.remove("tones/1")
    shop.follow()
    shop.clock.advance(GONE_SECONDS)
    shop.follow(Version("tones", 1))
    assert shop.versions() == ["shades/1"]
    assert len(list((shop.root / "contents").glob("tones/*"))) == 1
    shop.follow()
    assert len(list((shop.root / "contents").glob("tones/*"))) == 0


def test_only_what_is_worth_its_room_is_mirrored(shop):
    for number in range(1, 6):
        shop.put(f"shades/{number}", version_of(graph=b"%d" % number))
    shop.put(".", {"models.yaml": b"labels: {shades: {production: 1}}"})
    shop.follow(Version("shades", 2))
    assert shop.versions() == [f"shades/{number}" for number in (1, 2, 4, 5)]


def test_what_is_pinned_stays_so_while_the_declaration_cannot_be_read(shop):
    for number in range(1, 4):
        shop.put(f"shades/{number}", version_of(graph=b"%d" % number))
    shop.put(".", {"models.yaml": b"labels: {shades: {production: 1}}"})
    shop.follow()
    shop.put(".", {"models.yaml": b"labels: ["})
    shop.follow()
    assert shop.versions() == ["shades/1", "shades/2", "shades/3"]


def test_keys_that_lead_out_of_the_mirror_are_left_in_the_store(shop, tmp_path):
    shop.put("shades/1", version_of())
    shop.put("shades/1", {"../../../../../outside": b"mine"})
    assert len(shop.follow().strays) == 1
    assert shop.shown("shades/1") == version_of()
    assert [path.name for path in tmp_path.iterdir()] == ["mirror"]


def test_a_card_that_lists_files_elsewhere_is_refused(shop):
    files = version_of()
    card = json.loads(files[CARD])
    card["files"][0]["path"] = "../../../lock"
    shop.put("shades/1", {**files, CARD: json.dumps(card).encode()})
    assert SHADES in {**shop.follow().waiting, **shop.follow().refused}
    assert shop.versions() == []


def test_a_name_that_is_a_file_and_a_directory_is_refused(shop):
    shop.put("shades/1", {**version_of(), "variables": b"a file"})
    assert "'variables' as both" in shop.follow().refused[SHADES]


@pytest.mark.parametrize(("bound", "value"), [("MAX_VERSION_FILES", 2), ("MAX_VERSION_BYTES", 20)])
def test_a_version_out_of_bounds_is_refused_before_anything_of_it_is_read(shop, monkeypatch, bound, value):
    monkeypatch.setattr(mirrors, bound, value)
    shop.put("shades/1", version_of())
    assert "A version has at most" in shop.follow().refused[SHADES]
    assert shop.store.bytes_read == 0


def test_a_file_that_is_longer_than_it_was_listed_is_not_read_to_its_end(shop, monkeypatch):
    shop.put("shades/1", version_of())
    listed = shop.store.list()
    shop.put("shades/1", {"variables/variables.data": bytes(10_000)})
    monkeypatch.setattr(shop.store, "list", lambda: listed)
    assert "'shades/1/variables/variables.data'" in shop.follow().refused[SHADES]
    assert shop.store.bytes_read < 2000


def test_a_declaration_without_bounds_is_refused_and_the_mirror_stays(shop):
    shop.put("shades/1", version_of())
    shop.follow()
    shop.put(".", {"models.yaml": bytes(5 * 2**20)})
    with pytest.raises(ModelRejected, match="has 5242880"):
        shop.follow()
    assert shop.versions() == ["shades/1"]


@pytest.mark.parametrize("left", [[], ["README.md"]])
def test_a_store_without_models_is_an_outage_and_nothing_is_hidden(shop, left):
    shop.put("shades/1", version_of())
    shop.follow()
    shop.remove("shades")
    shop.put(".", dict.fromkeys(left, b"x"))
    for _ in range(2):
        with pytest.raises(StoreFailed, match="lists none"):
            shop.follow()
        shop.clock.advance(GONE_SECONDS)
    assert shop.versions() == ["shades/1"]


def test_files_that_were_damaged_in_the_mirror_are_fetched_again(shop):
    shop.put("shades/1", version_of())
    shop.follow()
    (shop.mirror.models / "shades/1/saved_model.pb").write_bytes(b"g")
    assert shop.follow().fetched == [SHADES]
    assert shop.shown("shades/1") == version_of()


def test_what_a_killed_process_left_is_removed(shop):
    shop.put("shades/1", version_of())
    (shop.root / "incoming" / "half" / "files").mkdir(parents=True)
    (shop.root / "contents" / "shades" / "7-abc" / "files").mkdir(parents=True)
    shop.follow()
    assert list((shop.root / "incoming").iterdir()) == []
    assert len(list((shop.root / "contents" / "shades").iterdir())) == 1


def test_a_store_that_fails_midway_leaves_what_was_there(shop, monkeypatch):
    shop.put("shades/1", version_of())
    shop.follow()
    shop.put("shades/1", version_of(graph=b"other"))

    def fail(*_, **__):
        raise ConnectionResetError("reset")

    monkeypatch.setattr(shop.store._files, "open", fail)
    with pytest.raises(StoreFailed, match="could not be: ConnectionResetError: reset"):
        shop.follow()
    assert shop.shown("shades/1") == version_of()
    assert list((shop.root / "incoming").iterdir()) == []


def label(shop, content, name="production"):
    shop.put("shades/labels", {name: content})


def test_a_label_by_a_file_is_carried_with_its_version_and_goes_with_its_file(shop):
    for number in (1, 2, 3, 4):
        shop.put(f"shades/{number}", version_of())
    label(shop, b"1\n")
    shop.follow()
    assert shop.shown("shades/labels") == {"production": b"1\n"}
    assert Version("shades", 1) in shop.mirror.shown()
    shop.remove("shades/labels")
    shop.follow()
    assert shop.shown("shades/labels") is None


def test_a_label_that_has_not_changed_is_not_read_again_and_of_a_large_one_no_more_than_a_beginning(shop):
    shop.put("shades/1", version_of())
    label(shop, bytes(10**6))
    shop.follow()
    read = shop.store.bytes_read
    assert len(shop.shown("shades/labels")["production"]) == 65
    shop.follow()
    assert (shop.store.bytes_read, len(shop.shown("shades/labels")["production"])) == (read, 65)


def forbid(shop, monkeypatch, key):
    """Listed, and not to be read."""
    files = shop.store._files
    for method in ("open", "cat_file"):
        real = getattr(files, method)

        def guarded(path, *args, real=real, **kwargs):
            if path.endswith(key):
                raise PermissionError("Access Denied")
            return real(path, *args, **kwargs)

        monkeypatch.setattr(files, method, guarded)


def test_a_version_of_which_one_file_cannot_be_read_keeps_no_other_from_being_fetched(shop, monkeypatch):
    shop.put("shades/1", version_of())
    shop.put("tones/1", version_of())
    forbid(shop, monkeypatch, "shades/1/saved_model.pb")
    done = shop.follow()
    assert "'shades/1/saved_model.pb'" in done.unread[SHADES]
    assert shop.versions() == ["tones/1"]
    monkeypatch.undo()
    assert shop.follow().fetched == [SHADES]


def test_a_label_that_cannot_be_read_stays_as_it_was(shop, monkeypatch):
    shop.put("shades/1", version_of())
    label(shop, b"1")
    shop.follow()
    label(shop, b"2")
    forbid(shop, monkeypatch, "labels/production")
    assert list(shop.follow().unread_labels) == ["shades/labels/production"]
    assert shop.shown("shades/labels") == {"production": b"1"}


def test_a_file_that_changes_between_being_listed_and_read_is_waited_for(shop, monkeypatch):
    shop.put("shades/1", version_of())
    listed = shop.store.list()
    shop.put("shades/1", version_of())
    with monkeypatch.context() as patch:
        patch.setattr(shop.store, "list", lambda: listed)
        assert "changed" in shop.follow().unread[SHADES]
    assert shop.follow().fetched == [SHADES]


def test_a_version_without_room_is_not_begun_and_says_how_many_bytes_it_needs(shop, monkeypatch):
    shop.put("shades/1", version_of())
    shop.follow()
    newer = version_of(graph=bytes(1000))
    shop.put("shades/2", newer)
    needed, read = sum(map(len, newer.values())), shop.store.bytes_read
    with monkeypatch.context() as patch:
        patch.setattr(mirrors.shutil, "disk_usage", lambda _: mirrors.shutil._ntuple_diskusage(10**9, 10**9, 7))
        (reason,) = shop.follow().unread.values()
    assert (f"needs {needed} bytes" in reason, "7 are free" in reason, shop.store.bytes_read) == (True, True, read)
    assert (shop.versions(), list((shop.root / "incoming").iterdir())) == (["shades/1"], [])
    assert shop.follow().fetched == [Version("shades", 2)]


@pytest.mark.parametrize("model", ["models.yaml", "administration.json", "choir.card.json"])
def test_a_model_named_as_a_file_beside_the_models_is_left_in_the_store(shop, model):
    shop.put("shades/1", version_of())
    shop.put(f"{model}/1", version_of())
    assert len(shop.follow().strays) == len(version_of())
    assert shop.versions() == ["shades/1"]


def test_credentials_that_expire_are_an_outage_and_those_that_are_renewed_are_read(shop, monkeypatch):
    shop.put("shades/1", version_of())
    shop.follow()

    def expired(*_, **__):
        raise PermissionError("The provided token has expired.")

    monkeypatch.setattr(shop.store._files, "find", expired)  # of this connection, and of no other
    with pytest.raises(StoreFailed, match="token has expired"):
        shop.follow()
    assert shop.versions() == ["shades/1"]
    shop.follow()
