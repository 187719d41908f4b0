"""An administrator's orders: what each makes of those before, and that they are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import ModelRejected, NotServed
from serving.models.lifecycle.orders import ORDERS, Orders, read_orders, write_orders

NONE = Orders()
names = st.sampled_from(["a", "b"])
versions = st.integers(1, 3)


@st.composite
def orders(draw) -> Orders:
    """What stands after some orders."""
    standing = NONE
    for _ in range(draw(st.integers(0, 5))):
        kind, name, version = draw(st.sampled_from(["load", "unload", "label", "promote"])), draw(names), draw(versions)
        match kind:
            case "load":
                standing = standing.load(name, version)
            case "unload":
                standing = standing.unload(name, draw(st.none() | versions))
            case "label":
                standing = standing.label(name, "canary", version)
            case "promote":
                standing = standing.promote(name, version, draw(st.none() | versions))
    return standing


@given(orders())
def test_what_is_kept_is_read_again(tmp_path_factory, standing):
    root = tmp_path_factory.mktemp("models")
    write_orders(root, standing)
    assert read_orders(root) == standing


def test_there_are_none_where_none_were_kept(tmp_path):
    assert read_orders(tmp_path) == NONE


def test_what_is_no_order_is_rejected(tmp_path):
    (tmp_path / ORDERS).write_text('{"labels": []}')
    with pytest.raises(ModelRejected, match="an administrator's orders"):
        read_orders(tmp_path)


@given(orders(), names, versions)
def test_what_is_loaded_and_unloaded_again_is_not_loaded(before, name, version):
    after = before.load(name, version).unload(name, version)
    assert version not in after.loaded.get(name, [])
    assert version in after.unloaded[name]


@given(orders(), names, versions)
def test_what_is_unloaded_and_loaded_again_is_loaded(before, name, version):
    for unloaded in (before.unload(name, version), before.unload(name, None)):
        after = unloaded.load(name, version)
        assert version in after.loaded[name]
        assert version not in after.unloaded.get(name, [])
        assert name not in after.closed


@given(orders(), names, versions)
def test_a_label_wants_its_version_loaded(before, name, version):
    assert version not in before.unload(name, version).label(name, "canary", version).unloaded.get(name, [])


@given(orders(), names, versions, versions)
def test_a_rollback_undoes_a_promotion(before, name, old, new):
    before = before.promote(name, old, None)
    there_and_back = before.promote(name, new, old)
    if new != old:
        there_and_back = there_and_back.roll_back(name)
    assert there_and_back.labels == before.labels
    assert there_and_back.promoted == before.promoted


def test_promotions_are_rolled_back_one_after_the_other():
    standing = NONE.promote("a", 1, None).promote("a", 2, 1).promote("a", 3, 2)
    assert standing.roll_back("a").labels == {"a": {"production": 2}}
    assert standing.roll_back("a").roll_back("a").labels == {"a": {"production": 1}}


def test_what_was_never_promoted_is_not_rolled_back():
    with pytest.raises(NotServed, match="A rollback follows a promotion"):
        NONE.promote("b", 1, 2).roll_back("a")


def test_a_label_that_no_order_gave_is_not_taken_back():
    assert NONE.label("a", "canary", 1).remove_label("a", "canary") == NONE
    with pytest.raises(NotServed, match=r"What a file or models\.yaml says is removed there"):
        NONE.remove_label("a", "canary")
