import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage, stats

from training.augmentation.affine import LECTURE, RandomAffine, Ranges, apply, matrices, warp
from training.augmentation.crops import random_crops

SIDE = 9


@pytest.fixture
def canvases():
    return np.random.default_rng(0).integers(0, 256, (6, 13, 13, 3), np.uint8)


def drawn(ranges, pictures=10_000, seed=(1, 2)):
    """What was drawn, read back from the matrices: {name: [pictures]}."""
    middle = (SIDE - 1) / 2
    a0, a1, a2, b0, b1, b2, *rest = matrices(ranges, pictures, (13, 13), (SIDE, SIDE), seed).numpy().astype(float).T
    np.testing.assert_array_equal(rest, 0)
    determinant = a0 * b1 - a1 * b0
    mirror = np.sign(determinant)
    # rotation x shear x (wide, high): the first column has only rotation and width.
    wide = np.hypot(a0, b0)
    high = np.abs(determinant) / wide
    cos, sin = mirror * a0 / wide, mirror * b0 / wide
    return {
        "rotate": np.degrees(np.arctan2(sin, cos)),
        "shear": np.degrees(np.arctan((cos * a1 + sin * b1) / high)),
        "zoom": -np.log(wide * high) / 2,
        "stretch": np.log(high / wide) / 2,
        "mirror": mirror,
        "across": a0 * middle + a1 * middle + a2 - 6,
        "down": b0 * middle + b1 * middle + b2 - 6,
    }


class TestDraws:
    @pytest.mark.parametrize(
        ("name", "most"),
        [
            ("rotate", 180),
            ("across", 10),
            ("down", 10),
            ("zoom", np.log(1.6)),
            ("shear", 20),
            ("stretch", np.log(1.3)),
        ],
    )
    def test_each_is_uniform_over_the_lectures_range(self, name, most):
        draws = drawn(LECTURE)[name]
        assert np.abs(draws).max() <= most * (1 + 1e-4)
        assert stats.kstest(draws, stats.uniform(-most, 2 * most).cdf).pvalue > 1e-3

    def test_every_other_picture_is_mirrored(self):
        # 10,000 draws: standard deviation 50.
        assert abs((drawn(LECTURE)["mirror"] < 0).sum() - 5000) < 250

    def test_they_are_independent_of_each_other_and_between_pictures(self):
        draws = np.stack(list(drawn(LECTURE).values()))
        both = np.corrcoef(np.concatenate([draws[:, :-1], draws[:, 1:]]))
        # 10,000 draws: standard deviation 0.01.
        assert np.abs(both - np.eye(len(both)) * both).max() < 0.05

    @pytest.mark.parametrize("name", ["rotate", "translate", "zoom", "mirror", "shear", "stretch"])
    def test_a_range_moves_nothing_but_its_own(self, name):
        moved = {
            each for each, draws in drawn(Ranges(**{name: getattr(LECTURE, name)}), 50).items() if draws.std() > 1e-5
        }
        assert moved == ({"across", "down"} if name == "translate" else {name})

    def test_together_they_are_the_product_of_each_alone(self):
        def alone(**ranges):
            rows = matrices(Ranges(**ranges), 20, (13, 13), (13, 13), (1, 2)).numpy().astype(float)
            return np.concatenate([rows, np.ones((20, 1))], axis=1).reshape(20, 3, 3)

        product = (
            alone(translate=10)
            @ alone(rotate=180)
            @ alone(shear=20)
            @ alone(stretch=1.3)
            @ alone(zoom=1.6)
            @ alone(mirror=True)
        )
        together = alone(rotate=180, translate=10, zoom=1.6, mirror=True, shear=20, stretch=1.3)
        np.testing.assert_allclose(together, product, atol=1e-4)

    def test_a_picture_keeps_its_draws_in_a_longer_batch(self):
        short, long = (matrices(LECTURE, pictures, (13, 13), (9, 9), (3, 4)) for pictures in (5, 50))
        np.testing.assert_allclose(short, long[:5], atol=1e-5)

    def test_the_same_seed_gives_the_same_and_another_others(self):
        first, again, other = (
            matrices(LECTURE, 5, (13, 13), (9, 9), seed).numpy() for seed in [(1, 2), (1, 2), (1, 3)]
        )
        np.testing.assert_array_equal(first, again)
        assert (first != other)[:, :6].all()


class TestGeometry:
    """Pixels are exactly where they should be."""

    @pytest.mark.parametrize("height", [5, 8, 9, 10, 11])
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    def test_ranges_that_go_nowhere_give_the_centre_crop(self, height, dtype):
        canvases = np.random.default_rng(0).integers(0, 256, (2, height, 14, 1)).astype(dtype)
        views = warp(canvases, 5, Ranges(), (0, 0))
        assert views.dtype == dtype
        np.testing.assert_array_equal(views, random_crops(canvases, 5, 0, False, (0, 0)))

    def test_a_view_larger_than_its_canvas_is_filled_all_round(self, canvases):
        views = warp(canvases, 17, Ranges(), (0, 0), fill_value=7)
        np.testing.assert_array_equal(views, np.pad(canvases, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=7))

    @pytest.mark.parametrize("side", [9, 8])
    def test_a_mirror_image_is_the_columns_backwards(self, side):
        canvases = np.random.default_rng(0).random((40, side, side, 3), np.float32)
        views = warp(canvases, side, Ranges(mirror=True), (0, 0)).numpy()
        mirrored = (views == canvases[:, :, ::-1]).all(axis=(1, 2, 3))
        straight = (views == canvases).all(axis=(1, 2, 3))
        assert mirrored.any()
        assert straight.any()
        assert (mirrored | straight).all()

    @pytest.mark.parametrize("side", [9, 8])
    def test_a_quarter_turn_is_the_rotation_of_the_array(self, side, monkeypatch):
        canvases = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
        monkeypatch.setattr(tf.random, "stateless_uniform", lambda shape, *_: tf.ones(shape))
        turned = warp(canvases, side, Ranges(rotate=90), (0, 0))
        np.testing.assert_array_equal(turned, np.rot90(canvases, axes=(1, 2)))

    @pytest.mark.parametrize(
        ("fill", "mode"), [("constant", "grid-constant"), ("nearest", "nearest"), ("reflect", "reflect")]
    )
    @pytest.mark.parametrize(("interpolation", "order"), [("bilinear", 1), ("nearest", 0)])
    def test_sampling_is_that_of_scipy(self, fill, mode, interpolation, order):
        canvases = np.random.default_rng(0).random((20, 13, 11, 2), np.float32)
        transforms = matrices(LECTURE, 20, (13, 11), (9, 7), (5, 6)).numpy()
        views = apply(transforms, canvases, (9, 7), fill, interpolation, fill_value=0.25).numpy()
        y, x = np.mgrid[:9, :7]
        for view, canvas, (a0, a1, a2, b0, b1, b2, *_) in zip(views, canvases, transforms, strict=True):
            places = [b0 * x + b1 * y + b2, a0 * x + a1 * y + a2]
            for channel in range(2):
                expected = ndimage.map_coordinates(canvas[..., channel], places, order=order, mode=mode, cval=0.25)
                np.testing.assert_allclose(view[..., channel], expected, atol=1e-4)

    def test_whole_numbers_are_rounded(self, canvases):
        exact = warp(canvases.astype(np.float32), SIDE, LECTURE, (1, 2)).numpy()
        np.testing.assert_array_equal(warp(canvases, SIDE, LECTURE, (1, 2)), np.round(exact).astype(np.uint8))

    def test_one_channel_is_warped_as_three_are(self, canvases):
        np.testing.assert_array_equal(
            warp(canvases[..., :1], SIDE, LECTURE, (1, 2)), warp(canvases, SIDE, LECTURE, (1, 2))[..., :1]
        )


class TestInAGraph:
    def test_a_function_and_tf_data_give_what_eager_calls_give(self, canvases):
        eager = warp(canvases, SIDE, LECTURE, (1, 2))
        inside = tf.function(warp)(canvases, SIDE, LECTURE, (1, 2))
        np.testing.assert_array_equal(inside, eager)
        batches = (
            tf.data.Dataset.from_tensors(canvases)
            .repeat(8)
            .enumerate()
            .map(lambda step, batch: warp(batch, SIDE, LECTURE, tf.stack([1, step])), num_parallel_calls=4)
        )
        assert batches.element_spec.shape == (6, SIDE, SIDE, 3)
        for step, batch in enumerate(batches):
            np.testing.assert_array_equal(batch, warp(canvases, SIDE, LECTURE, (1, step)))

    def test_sizes_may_be_unknown(self, canvases):
        signature = [tf.TensorSpec([None, None, None, 3], tf.uint8)]
        inside = tf.function(lambda batch: warp(batch, SIDE, LECTURE, (1, 2)), input_signature=signature)
        np.testing.assert_array_equal(inside(canvases), warp(canvases, SIDE, LECTURE, (1, 2)))


class TestBadInput:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("rotate", 181),
            ("rotate", -1),
            ("translate", -1),
            ("translate", np.inf),
            ("zoom", 0.9),
            ("zoom", np.nan),
            ("shear", 90),
            ("stretch", 0),
        ],
    )
    def test_a_range_that_is_none_is_refused(self, name, value):
        with pytest.raises(ValueError, match=name):
            Ranges(**{name: value})

    def test_unknown_fills_and_interpolations_are_refused(self, canvases):
        with pytest.raises(ValueError, match=r"constant, nearest, reflect.*'wrap'"):
            warp(canvases, SIDE, LECTURE, (0, 0), fill="wrap")
        with pytest.raises(ValueError, match=r"bilinear, nearest.*'cubic'"):
            RandomAffine(interpolation="cubic")


class TestLayer:
    def layer(self, **options):
        return RandomAffine(rotate=180, translate=2, mirror=True, seed=1, **options)

    @pytest.mark.parametrize("dtype", ["uint8", "float32"])
    def test_a_model_changes_pictures_in_training_only(self, canvases, dtype):
        pictures = canvases.astype(dtype)
        inputs = keras.Input((13, 13, 3), dtype=dtype)
        model = keras.Model(inputs, self.layer()(inputs))
        assert model.output.dtype == dtype
        np.testing.assert_array_equal(model(pictures), pictures)
        np.testing.assert_array_equal(model.predict(pictures, verbose=0), pictures)
        assert (model(pictures, training=True).numpy() != pictures).any()

    def test_it_draws_anew_each_call_and_alike_from_the_same_seed(self, canvases):
        one, other = self.layer(), self.layer()
        first, second = (one(canvases, training=True).numpy() for _ in range(2))
        assert (first != second).any()
        np.testing.assert_array_equal(other(canvases, training=True), first)
        np.testing.assert_array_equal(other(canvases, training=True), second)

    def test_it_is_saved_with_a_model(self, canvases, tmp_path):
        model = keras.Sequential([keras.Input((13, 13, 3)), self.layer(fill="reflect", fill_value=0.5)])
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
        assert again.layers[0].get_config() == model.layers[0].get_config()
        pictures = canvases.astype(np.float32)
        np.testing.assert_array_equal(again(pictures, training=True), model(pictures, training=True))

    def test_it_works_in_tf_data(self, canvases):
        expected = self.layer()(canvases, training=True)
        layer = self.layer()
        batches = tf.data.Dataset.from_tensors(canvases).map(lambda batch: layer(batch, training=True))
        np.testing.assert_array_equal(next(iter(batches)), expected)

    def test_it_keeps_the_type_and_the_size_of_pictures_in_16_bits(self, canvases):
        layer = self.layer(dtype="mixed_bfloat16")
        views = layer(canvases[:, :, :11].astype(np.float32), training=True)
        assert views.dtype == tf.float32
        assert views.shape == (6, 13, 11, 3)

    def test_a_model_with_it_is_fitted(self, canvases):
        model = keras.Sequential(
            [keras.Input((13, 13, 3)), self.layer(), keras.layers.Flatten(), keras.layers.Dense(2)]
        )
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        history = model.fit(canvases / np.float32(255), np.arange(6) % 2, verbose=0)
        assert np.isfinite(history.history["loss"]).all()
