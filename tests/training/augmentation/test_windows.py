"""Crops of single pictures of any size: where they lie, and what they hold."""

import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import stats

from training.augmentation.crops import area_crop, area_window, jittered_crop, jittered_window, mirrored, resized

SIZES = st.tuples(st.integers(1, 600), st.integers(1, 600))
SEEDS = st.tuples(st.integers(0, 2**31), st.integers(0, 2**31))
DRAWS = 2000


def drawn(window, *arguments, draws=DRAWS):
    """`window(*arguments, seed)` for many seeds: int [draws, 4]."""

    windows = tf.data.Dataset.range(draws).map(lambda number: window(*arguments, seed=(number, 7)))
    return np.stack(list(windows.as_numpy_iterator()))


def uniform(values, least, most):
    """Whether the Kolmogorov-Smirnov test lets `values` be uniform."""
    return stats.kstest(values, stats.uniform(least, most - least).cdf).pvalue > 1e-3


@pytest.fixture
def picture():
    """uint8 [60, 90, 3], smooth."""
    y, x = np.mgrid[:60, :90]
    return np.stack([2 * x, 4 * y, 255 - y - x], axis=2).astype(np.uint8)


class TestJitteredWindow:
    @given(SIZES, SEEDS, st.integers(1, 300), st.integers(0, 100), st.integers(0, 100))
    def test_it_is_a_square_inside_the_picture_of_the_share_asked_for(self, size, seed, side, room, more):
        height, width = size
        least = side + room
        top, left, high, wide = jittered_window(height, width, side, (least, least + more), seed).numpy()
        assert high == wide >= 1
        assert 0 <= top <= top + high <= height
        assert 0 <= left <= left + wide <= width
        shortest = min(size)
        assert high >= min(1, side / (least + more) * shortest - 0.5)
        assert high <= max(1, side / least * shortest + 0.5)

    def test_every_shorter_side_is_as_likely_as_any_other(self):
        # One pixel of 100,000 for each ratio, so that S can be read back.
        edges = drawn(jittered_window, 100_000, 200_000, 10, (16, 25))[:, 2]
        sides, counts = np.unique(np.round(10 * 100_000 / edges), return_counts=True)
        np.testing.assert_array_equal(sides, np.arange(16, 26))
        assert stats.chisquare(counts).pvalue > 1e-3

    def test_every_place_is_as_likely_as_any_other(self):
        top, left, edge, _ = drawn(jittered_window, 10_000, 30_000, 224, (256, 512)).T
        assert uniform(top / (10_000 - edge), 0, 1)
        assert uniform(left / (30_000 - edge), 0, 1)
        assert abs(np.corrcoef(top, left)[0, 1]) < 0.1

    def test_it_reaches_every_edge(self):
        windows = drawn(jittered_window, 8, 8, 2, (4, 4), draws=300)
        assert {tuple(window) for window in windows} == {(top, left, 4, 4) for top in range(5) for left in range(5)}

    @pytest.mark.parametrize(("side", "shorter_side"), [(8, (7, 9)), (8, (9, 8)), (0, (1, 2))])
    def test_a_crop_larger_than_its_picture_is_refused(self, side, shorter_side):
        with pytest.raises(ValueError, match=f"side {side} and shorter sides"):
            jittered_window(10, 10, side, shorter_side, (0, 0))


class TestAreaWindow:
    @given(SIZES, SEEDS)
    def test_it_lies_inside_the_picture(self, size, seed):
        height, width = size
        top, left, high, wide = area_window(height, width, seed).numpy()
        assert high >= 1
        assert wide >= 1
        assert 0 <= top <= top + high <= height
        assert 0 <= left <= left + wide <= width

    @given(st.tuples(st.integers(64, 600), st.integers(64, 600)), SEEDS)
    def test_its_aspect_is_allowed_to_the_pixel_whatever_the_pictures(self, size, seed):
        _, _, high, wide = area_window(*size, seed).numpy()
        assert (wide + 0.5) / (high - 0.5) >= 3 / 4
        assert (wide - 0.5) / (high + 0.5) <= 4 / 3

    def test_area_and_aspect_are_uniform_where_every_shape_fits(self):
        ranges = {"area": (0.08, 0.6), "aspect": (0.9, 1.5)}
        windows = drawn(lambda *size, seed: area_window(*size, seed, **ranges), 10_000, 10_000)
        high, wide = windows[:, 2:].T / 10_000
        assert uniform(high * wide, 0.08, 0.6)
        assert uniform(np.log(wide / high), np.log(0.9), np.log(1.5))

    def test_every_place_is_as_likely_as_any_other(self):
        top, left, high, wide = drawn(lambda *size, seed: area_window(*size, seed, area=(0.08, 0.5)), 20_000, 30_000).T
        assert uniform(top / (20_000 - high), 0, 1)
        assert uniform(left / (30_000 - wide), 0, 1)

    def test_shapes_that_do_not_fit_are_drawn_again(self):
        # One picture in the whole of the square; only aspect 1 fits, and few draws come near it.
        high, wide = drawn(lambda *size, seed: area_window(*size, seed, area=(0.9, 1.0)), 1000, 1000)[:, 2:].T
        assert (high * wide >= 0.9 * 1000**2 - 1000).mean() > 0.99

    @pytest.mark.parametrize(
        ("size", "window"),
        [((10, 1000), (0, 493, 10, 13)), ((1000, 10), (493, 0, 13, 10)), ((100, 100), (0, 0, 100, 100))],
    )
    def test_where_nothing_fits_it_is_the_largest_allowed_in_the_centre(self, size, window):
        found = drawn(lambda *size, seed: area_window(*size, seed, area=(1.0, 1.0)), *size, draws=5)
        np.testing.assert_array_equal(found, [window] * 5)

    @pytest.mark.parametrize(
        "ranges", [{"area": (0, 1)}, {"area": (0.5, 0.1)}, {"area": (0.5, 1.1)}, {"aspect": (2, 1)}]
    )
    def test_ranges_out_of_order_are_refused(self, ranges):
        with pytest.raises(ValueError, match="each the smaller first"):
            area_window(10, 10, (0, 0), **ranges)


class TestCrops:
    CROPS = (
        lambda picture, seed: jittered_crop(picture, 24, (32, 64), seed),
        lambda picture, seed: area_crop(picture, 24, seed),
        mirrored,
    )

    @pytest.mark.parametrize("crop", CROPS)
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_tf_data_gives_what_eager_calls_give(self, picture, crop, dtype, channels):
        picture = picture[..., :channels].astype(dtype)
        crops = tf.data.Dataset.range(8).map(lambda number: crop(picture, (number, 1)), num_parallel_calls=4)
        rows = list(crops.as_numpy_iterator())
        for number, row in enumerate(rows):
            assert row.dtype == dtype
            np.testing.assert_allclose(row, crop(picture, (number, 1)), atol=1e-4)
        assert len({row.tobytes() for row in rows}) == (2 if crop is mirrored else 8)

    def test_jitter_is_a_crop_of_the_picture_resized_at_random(self, picture):
        """The paper's order, the whole picture resized and then cut, gives the same crop."""
        whole = tf.image.resize(picture, (30, 45), antialias=True).numpy()
        compared = 0
        for number in range(40):
            top, left = jittered_window(60, 90, 24, (30, 30), (number, 1)).numpy()[:2]
            if top % 2 == left % 2 == 0:
                crop = jittered_crop(picture, 24, (30, 30), (number, 1)).numpy()
                expected = whole[top // 2 : top // 2 + 24, left // 2 : left // 2 + 24]
                # At the rim, only the whole picture has pixels beyond the crop to average.
                np.testing.assert_allclose(crop[1:-1, 1:-1], expected[1:-1, 1:-1], atol=0.51)
                compared += 1
        assert compared > 3

    def test_a_window_of_a_jpeg_is_decoded_alone(self, picture):
        contents = io.BytesIO()
        Image.fromarray(picture).save(contents, "JPEG", quality=95, subsampling=0)
        whole = tf.io.decode_jpeg(contents.getvalue())
        window = jittered_window(60, 90, 24, (32, 64), (3, 4))
        part = tf.image.decode_and_crop_jpeg(contents.getvalue(), window)
        np.testing.assert_array_equal(resized(part, 24), jittered_crop(whole, 24, (32, 64), (3, 4)))

    def test_what_shrinks_is_averaged(self):
        # Sampled between columns 3 and 4 alone, it would be white.
        striped = np.where(np.isin(np.arange(64) % 8, (3, 4)), 255, 0).astype(np.uint8)
        inner = resized(tf.constant(np.tile(striped[None, :, None], (64, 1, 1))), 8)[:, 1:-1]
        np.testing.assert_array_equal(inner, np.full((8, 6, 1), 64))

    def test_a_picture_smaller_than_its_crop_is_enlarged(self):
        small = np.full((5, 3, 3), 200, np.uint8)
        for crop in (
            jittered_crop(small, 24, (32, 64), (0, 1)),
            area_crop(small, 24, (0, 1)),
        ):
            np.testing.assert_array_equal(crop, np.full((24, 24, 3), 200))

    def test_every_other_picture_is_mirrored(self, picture):
        crops = tf.map_fn(lambda number: mirrored(picture, (number, 1)), tf.range(400), fn_output_signature=tf.uint8)
        backwards = (crops.numpy() == picture[:, ::-1]).all(axis=(1, 2, 3))
        straight = (crops.numpy() == picture).all(axis=(1, 2, 3))
        assert (backwards | straight).all()
        # 400 draws: standard deviation 10.
        assert abs(backwards.sum() - 200) < 50
