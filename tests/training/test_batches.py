from dataclasses import replace

import numpy as np
import pytest

from training.batches import Canvases, steps_per_epoch
from training.data import DataSet, Pictures
from training.errors import BadRecipe
from training.recipes.recipe import Recipe

RECIPE = Recipe(input_side=4, shorter_side=4, margin=1, translate=1, mirror=True, epochs=4, batch_size=8)
CLASS_IDS = np.arange(20, dtype=np.int32)
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1), np.uint8)


def canvases(images=IMAGES, recipe=RECIPE):
    pictures = Pictures(images, CLASS_IDS)
    return Canvases(DataSet("twenty", tuple(map(str, CLASS_IDS)), pictures, pictures), recipe)


def stream(seed, first_epoch):
    return [(rows.numpy(), ids.numpy()) for rows, ids in canvases().batches(seed, first_epoch)]


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
    images = np.tile(CLASS_IDS.astype(np.uint8)[:, None, None, None], (1, 4, 4, 1))
    for rows, ids in canvases(images).batches(0, 0):
        np.testing.assert_array_equal(rows[:, 1, 1, 0], ids)  # the margin is not within reach


def test_statistics_are_those_of_the_canvases_and_their_margins():
    mean, deviation = canvases(np.full((20, 4, 4, 1), 90, np.uint8)).statistics()
    share = 16 / 36
    np.testing.assert_allclose(mean, [90 * share])
    np.testing.assert_allclose(deviation, [90 * (share * (1 - share)) ** 0.5])


def test_an_epoch_has_the_steps_of_the_recipe_or_as_many_as_the_pictures_fill():
    assert steps_per_epoch(20, RECIPE) == 2
    assert steps_per_epoch(20, replace(RECIPE, steps=1)) == 1
    assert len(list(canvases(recipe=replace(RECIPE, steps=1)).batches(0, 0))) == 4


def test_fewer_pictures_than_a_batch_are_refused():
    with pytest.raises(BadRecipe, match=r"at least 1 batches; 7 training pictures fill 0 of 8\. Lower batch_size\."):
        steps_per_epoch(7, RECIPE)


def test_fewer_pictures_than_the_steps_are_refused():
    with pytest.raises(
        BadRecipe, match=r"has 3 batches; 20 training pictures fill 2 of 8\. Lower steps or batch_size\."
    ):
        steps_per_epoch(20, replace(RECIPE, steps=3))
