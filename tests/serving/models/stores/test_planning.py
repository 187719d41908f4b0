"""What is fetched and what is hidden, by what a store lists and for how long it has."""

from serving.models.stores.planning import GONE_SECONDS, Seen, plan, wanted, watched
from serving.models.stores.shelf import Entry, Shelf, Version

CARDED = {"saved_model.pb": Entry(5, "a"), "assets.extra/card.json": Entry(7, "b")}
BARE = {"saved_model.pb": Entry(5, "a")}
SETTLE = 10.0


def shades(*numbers):
    return [Version("shades", number) for number in numbers]


def shelf(**models):
    """Models with the numbers of their versions, each with a card."""
    return Shelf({Version(model, n): CARDED for model, numbers in models.items() for n in numbers}, {})


def planned(remote, local=None, *, seen=None, chosen=None, refused=None, now=0.0):
    local = local or {}
    seen = watched(seen or {}, remote, local, now)
    return plan(seen, remote, local, wanted(remote, (), ()) if chosen is None else chosen, refused or {}, now, SETTLE)


def test_the_newest_of_every_model_comes_before_what_is_older():
    assert planned(shelf(shades=[1, 2, 3], tones=[9])).fetch == [*shades(3), Version("tones", 9), *shades(2)]


def test_the_newest_two_versions_are_wanted_and_those_that_are_pinned_or_in_use():
    remote = shelf(shades=[1, 2, 3, 4, 5])
    assert wanted(remote, shades(1, 7), shades(2, 8)) == set(shades(1, 2, 4, 5))


def test_what_is_there_as_it_is_listed_is_not_fetched_again():
    assert planned(shelf(shades=[1, 2]), dict.fromkeys(shades(1, 2), CARDED)) == ([], [], [])


def test_a_version_that_changed_in_the_store_is_fetched_again():
    changed = {**CARDED, "saved_model.pb": Entry(5, "c")}
    assert planned(shelf(shades=[1]), {shades(1)[0]: changed}).fetch == shades(1)


def test_what_was_refused_is_left_alone_until_it_changes():
    (version,) = shades(1)
    assert planned(shelf(shades=[1]), refused={version: CARDED}).fetch == []
    assert planned(shelf(shades=[1]), refused={version: {**CARDED, "more": Entry(1, "")}}).fetch == [version]


def test_without_a_card_a_version_is_fetched_once_its_files_have_settled():
    (version,) = shades(1)
    remote = Shelf({version: BARE}, {})
    seen = watched({}, remote, (), 0.0)
    assert planned(remote, seen=seen, now=SETTLE - 1) == ([], [version], [])
    assert planned(remote, seen=seen, now=SETTLE).fetch == [version]


def test_a_file_more_begins_the_settling_anew():
    (version,) = shades(1)
    more = Shelf({version: {**BARE, "variables/variables.index": Entry(3, "d")}}, {})
    seen = watched({}, Shelf({version: BARE}, {}), (), 0.0)
    assert planned(more, seen=watched(seen, more, (), SETTLE - 1), now=SETTLE).settling == [version]


def test_a_version_that_is_gone_is_hidden_once_it_has_been_gone_for_long():
    one, two = shades(1, 2)
    local = {one: CARDED, two: CARDED}
    remote = shelf(shades=[2])
    seen = {one: Seen(None, 100.0)}
    assert planned(remote, local, seen=seen, now=100.0 + GONE_SECONDS - 1).hide == []
    assert planned(remote, local, seen=seen, now=100.0 + GONE_SECONDS).hide == [one]


def test_a_version_that_comes_back_was_never_gone():
    (one,) = shades(1)
    back = watched({one: Seen(None, 0.0)}, shelf(shades=[1]), [one], GONE_SECONDS - 1)
    again = planned(shelf(shades=[2]), {one: CARDED}, seen=back, now=GONE_SECONDS + 1)
    assert again.hide == []


def test_versions_that_are_worth_their_room_no_more_are_hidden_at_once():
    local = dict.fromkeys(shades(1, 2, 3), CARDED)
    assert planned(shelf(shades=[1, 2, 3]), local).hide == shades(1)
    assert planned(shelf(shades=[1, 2, 3]), local, chosen=set(shades(1, 2, 3))).hide == []


def test_many_versions_are_planned_in_little_time():
    remote = shelf(shades=range(1, 20_000))
    assert len(planned(remote, chosen=set(remote.versions)).fetch) == 19_999
