"""Room that is shared: what is refused, what never is, and that it all comes back."""

import pytest

from serving.errors import Overloaded
from serving.pipeline.room import Room


def fill(room: Room, model: str, amount: int) -> int:
    """Takes `amount` again and again until that is refused. Returns how often it was not."""
    for count in range(1000):
        try:
            room.take(model, amount)
        except Overloaded:
            return count
    raise AssertionError("never refused")


def test_one_model_leaves_as_much_free_as_it_holds():
    assert fill(Room(100, "pixels"), "hot", 1) == 50


def test_while_one_model_holds_all_it_may_another_still_gets_in():
    room = Room(99, "pixels")
    fill(room, "hot", 1)
    assert fill(room, "cool", 1) == 25


@pytest.mark.parametrize("amount", [100, 1000])
def test_while_nothing_is_held_anything_is_taken(amount):
    room = Room(100, "pixels")
    room.take("a", amount)
    with pytest.raises(Overloaded):
        room.take("b", 1 + amount)
    room.give_back("a", amount)
    room.take("b", amount)


def test_what_is_given_back_can_be_taken_again():
    room = Room(100, "pixels")
    fill(room, "hot", 10)
    room.give_back("hot", 10)
    assert fill(room, "hot", 10) == 1


def test_a_refusal_says_the_rule_what_came_and_the_way_out():
    room = Room(100, "pixels")
    fill(room, "hot", 50)
    with pytest.raises(Overloaded, match=r"At most 100 pixels.* 40 came, 50 of hot .* 50 free.* Try again"):
        room.take("hot", 40)


def test_what_a_block_holds_is_free_behind_it_even_where_it_fails():
    room = Room(100, "pixels")

    def fail() -> None:
        with room.held("hot", 100):
            assert fill(room, "cool", 1) == 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert fill(room, "hot", 50) == 1
