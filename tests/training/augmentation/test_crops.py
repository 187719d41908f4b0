import numpy as np
import pytest
import tensorflow as tf

from training.augmentation.crops import random_crops

SIDE, MARGIN = 4, 2
CANVAS = SIDE + 2 * MARGIN


@pytest.fixture
def canvases():
    """uint8 [500, 8, 8, 1] where each pixel says its own place: 8 * row + column."""
    return np.tile(np.arange(CANVAS**2, dtype=np.uint8).reshape(1, CANVAS, CANVAS, 1), (500, 1, 1, 1))


def place(crop):
    """(top, left, mirrored) of a crop of the canvases above."""
    mirrored = crop[0, 0, 0] > crop[0, 1, 0]
    first = int(crop[0, -1 if mirrored else 0, 0])
    return first // CANVAS, first % CANVAS, bool(mirrored)


def test_crops_are_windows_of_their_canvas(canvases):
    for crop in random_crops(canvases, SIDE, MARGIN, True, (0, 0)).numpy():
        top, left, mirrored = place(crop)
        window = canvases[0, top : top + SIDE, left : left + SIDE]
        np.testing.assert_array_equal(crop, window[:, ::-1] if mirrored else window)


def test_every_place_is_as_likely_as_any_other(canvases):
    seen = [place(crop) for seed in range(5) for crop in random_crops(canvases, SIDE, MARGIN, True, (seed, 0)).numpy()]
    places, counts = np.unique(np.array(seen), axis=0, return_counts=True)
    assert len(places) == 5 * 5 * 2
    # 2,500 draws of 50 places: 50 each, standard deviation 7.
    assert np.abs(counts - 50).max() < 5 * 7


def test_shifts_stay_within_the_translation_asked_for(canvases):
    places = {place(crop)[:2] for crop in random_crops(canvases, SIDE, 1, False, (3, 0)).numpy()}
    assert places == {(top, left) for top in (1, 2, 3) for left in (1, 2, 3)}


def test_without_mirror_and_translation_the_crop_is_the_centre(canvases):
    crops = random_crops(canvases, SIDE, 0, False, (0, 0))
    np.testing.assert_array_equal(crops, canvases[:, MARGIN:-MARGIN, MARGIN:-MARGIN])


def test_the_same_seed_gives_the_same_crops_and_another_seed_others(canvases):
    first, again, other = (
        random_crops(canvases, SIDE, MARGIN, True, seed).numpy() for seed in [(1, 2), (1, 2), (1, 3)]
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_crops_in_tf_data_are_those_made_eagerly(canvases):
    batches = (
        tf.data.Dataset.from_tensor_slices(canvases)
        .batch(100)
        .enumerate()
        .map(lambda step, batch: random_crops(batch, SIDE, MARGIN, True, tf.stack([step, 7])), num_parallel_calls=4)
    )
    for step, batch in enumerate(batches):
        part = canvases[100 * step : 100 * (step + 1)]
        np.testing.assert_array_equal(batch, random_crops(part, SIDE, MARGIN, True, (step, 7)))


def test_colours_and_dtype_are_kept():
    canvases = np.random.default_rng(0).random((3, 6, 6, 3), np.float32)
    crops = random_crops(canvases, 6, 0, False, (0, 0))
    assert crops.dtype == tf.float32
    np.testing.assert_array_equal(crops, canvases)


def test_a_shift_off_the_canvas_is_refused(canvases):
    with pytest.raises(ValueError, match=r"shifted by 3 pixels.*8x8"):
        random_crops(canvases, SIDE, 3, False, (0, 0))
