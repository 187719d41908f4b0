"""How keys of a store become versions, and which never become files."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.models.stores.address import directory_of, place
from serving.models.stores.shelf import Entry, Version, arrange, identity, is_plain

ENTRY = Entry(3, "tag")


def arranged(*keys):
    return arrange((key, ENTRY) for key in keys)


def test_files_are_sorted_by_model_and_version():
    shelf = arranged("shades/1/saved_model.pb", "shades/1/variables/variables.index", "shades/12/x", "tones/1/x")
    assert {version: sorted(files) for version, files in shelf.versions.items()} == {
        Version("shades", 1): ["saved_model.pb", "variables/variables.index"],
        Version("shades", 12): ["x"],
        Version("tones", 1): ["x"],
    }


def test_files_beside_the_models_are_the_declaration_and_cards_of_ensembles():
    assert sorted(arranged("models.yaml", "choir.card.json", "README.md", "notes/a").beside) == [
        "choir.card.json", "models.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["shades/01/x", "shades/0/x", "shades/-1/x", "shades/one/x", "shades/1", "shades/²/x"])
def test_what_is_in_no_version_is_left_out(key):
    assert arranged(key).versions == {}


@pytest.mark.parametrize(
    "key",
    ["../1/x", "shades/1/../../x", "/etc/1/x", "shades/1/./x", "shades//1/x", "shades/1/x/", "shades/1/a\\b",
     "shades/1/\0", "shades/1/\ud800", "shades/1/\n", ".incoming/1/x", "shades/1/" + "x" * 201, "shades/1/" + "ä" * 101,
     "shades/1/" + "d/" * 20 + "x"],
)  # fmt: skip
def test_keys_that_no_file_may_have_are_strays(key):
    shelf = arranged(key, "tones/1/x")
    assert (shelf.strays, list(shelf.versions)) == ({key}, [Version("tones", 1)])


@given(st.text("a./\\\0~-1é", max_size=30))
def test_a_plain_key_stays_below_the_directory_it_is_joined_to(key):
    if is_plain(key):
        joined = os.path.normpath(os.path.join("/mirror", key))
        assert joined == f"/mirror/{key}"


def test_an_identity_is_of_paths_sizes_and_tags():
    files = {"a": Entry(1, "x"), "b": Entry(2, "y")}
    assert identity(files) == identity(dict(reversed(files.items())))
    others = [{"a": Entry(1, "x")}, {**files, "b": Entry(3, "y")}, {**files, "b": Entry(2, "z")}, {**files, "c": ENTRY}]
    assert len({identity(each) for each in (files, *others)}) == 5


def test_a_place_is_a_directory_or_a_stores_url(tmp_path):
    assert place(str(tmp_path)) == place(tmp_path) == tmp_path
    assert place("s3://bucket/prefix/") == "s3://bucket/prefix"


@pytest.mark.parametrize(
    "url", ["s3://key:secret@bucket/x", "s3://bucket/x?token=1", "zip://a::s3://bucket/x", "s3:///x", "s3://bucket/x#1"]
)
def test_a_url_with_credentials_or_options_is_refused(url):
    with pytest.raises(ValueError, match="without credentials"):
        place(url)


def test_no_two_stores_share_a_mirror(tmp_path):
    addresses = ["s3://a/b", "s3://a-b", "gs://a/b", "s3://a/b/c", "s3://" + "x" * 100, "s3://" + "x" * 101]
    directories = {directory_of(address, tmp_path) for address in addresses}
    assert len(directories) == len(addresses)
    assert all(directory.parent == tmp_path for directory in directories)
