import numpy as np
import pytest

from training.batches import batches, steps_per_epoch
from training.errors import BadRecipe
from training.recipes.recipe import Recipe

RECIPE = Recipe(input_side=4, shorter_side=4, margin=1, translate=1, mirror=True, epochs=4, batch_size=8)
CANVASES = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 1), np.uint8)
CLASS_IDS = np.arange(20, dtype=np.int32)


def stream(seed, first_epoch):
    return [(rows.numpy(), ids.numpy()) for rows, ids in batches(CANVASES, CLASS_IDS, RECIPE, seed, first_epoch)]


def test_a_stream_from_a_later_epoch_is_the_tail_of_the_whole():
    whole, tail = stream(5, 0), stream(5, 3)
    assert (len(whole), len(tail)) == (8, 2)
    for (rows, ids), (tail_rows, tail_ids) in zip(whole[6:], tail, strict=True):
        np.testing.assert_array_equal(rows, tail_rows)
        np.testing.assert_array_equal(ids, tail_ids)


def test_no_picture_comes_twice_in_an_epoch_and_epochs_differ():
    orders = np.concatenate([ids for _, ids in stream(5, 0)]).reshape(4, 16)
    assert all(len(set(order)) == 16 for order in orders)
    assert len({tuple(order) for order in orders}) == 4


def test_another_seed_gives_another_order():
    assert any((ids != others).any() for (_, ids), (_, others) in zip(stream(5, 0), stream(6, 0), strict=True))


def test_rows_belong_to_their_class():
    canvases = np.tile(CLASS_IDS.astype(np.uint8)[:, None, None, None], (1, 6, 6, 1))
    for rows, ids in batches(canvases, CLASS_IDS, RECIPE, 0, 0):
        np.testing.assert_array_equal(rows[:, 0, 0, 0], ids)


def test_fewer_pictures_than_a_batch_are_refused():
    with pytest.raises(BadRecipe, match="7 training pictures do not fill one of 8"):
        steps_per_epoch(7, RECIPE)
