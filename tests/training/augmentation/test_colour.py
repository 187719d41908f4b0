import numpy as np
import pytest
import tensorflow as tf

from training.augmentation.colour import IMAGENET, Colours, pca_colour, principal_colours

GREY = Colours(np.eye(3, dtype=np.float32), np.array([0.2, 0.1, 0.05], np.float32))


def shifts(colours, deviation=0.1, pictures=10_000, seed=(1, 2)):
    """What was added to each picture: [pictures, 3]."""
    return pca_colour(np.zeros((pictures, 1, 1, 3), np.float32), colours, deviation, seed).numpy()[:, 0, 0]


class TestPrincipalColours:
    def test_they_are_those_of_the_covariance_of_all_pixels(self):
        pixels = np.random.default_rng(0).multivariate_normal(
            [0.5, 0.4, 0.3], [[0.02, 0.015, 0.01], [0.015, 0.02, 0.012], [0.01, 0.012, 0.02]], 6000
        )
        colours = principal_colours(pixels.reshape(2, 50, 60, 3))
        covariance = (colours.vectors * colours.eigenvalues) @ colours.vectors.T
        np.testing.assert_allclose(covariance, np.cov(pixels.T, bias=True), atol=1e-6)
        np.testing.assert_allclose(colours.vectors.T @ colours.vectors, np.eye(3), atol=1e-6)
        assert (np.diff(colours.eigenvalues) < 0).all()

    def test_whole_numbers_and_fractions_give_the_same(self):
        pictures = np.random.default_rng(0).integers(0, 256, (2, 9, 9, 3), np.uint8)
        for one, other in zip(principal_colours(pictures), principal_colours(pictures / 255), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4)

    def test_pictures_may_have_many_sizes_and_come_one_at_a_time(self):
        pixels = np.random.default_rng(0).random((100, 3))
        parts = principal_colours(part.reshape(-1, 5, 3) for part in (pixels[:60], pixels[60:]))
        np.testing.assert_allclose(parts.eigenvalues, principal_colours([pixels[None]]).eigenvalues, rtol=1e-5)

    def test_a_sample_of_one_colour_has_no_variance(self):
        assert (principal_colours(np.full((2, 4, 4, 3), 77, np.uint8)).eigenvalues < 1e-9).all()

    def test_imagenets_vectors_are_orthonormal(self):
        np.testing.assert_allclose(IMAGENET.vectors.T @ IMAGENET.vectors, np.eye(3), atol=1e-3)


class TestShift:
    def test_along_each_vector_it_is_normal_by_its_eigenvalue(self):
        along = shifts(IMAGENET) @ IMAGENET.vectors / IMAGENET.eigenvalues
        # 10,000 draws of N(0, 0.1): standard deviation 0.001 of the mean, 0.0007 of the deviation.
        assert np.abs(along.mean(axis=0)).max() < 0.005
        assert np.abs(along.std(axis=0) - 0.1).max() < 0.004
        correlations = np.corrcoef(np.concatenate([along[:-1], along[1:]], axis=1).T)
        assert np.abs(correlations - np.eye(6)).max() < 0.05

    def test_pixels_of_one_picture_shift_alike_and_pictures_differ(self):
        pictures = np.random.default_rng(0).random((4, 5, 6, 3), np.float32)
        moved = pca_colour(pictures, IMAGENET, 0.1, (0, 0)).numpy() - pictures
        np.testing.assert_allclose(moved, np.broadcast_to(moved[:, :1, :1], moved.shape), atol=1e-6)
        assert len(np.unique(moved[:, 0, 0].round(6), axis=0)) == 4

    def test_whole_numbers_move_by_255_levels_and_stay_in_them(self):
        pictures = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 3), np.uint8)
        moved = pca_colour(pictures, IMAGENET, 1.0, (1, 2))
        exact = pictures + 255 * shifts(IMAGENET, 1.0, 50)[:, None, None]
        assert moved.dtype == tf.uint8
        assert exact.min() < 0
        assert exact.max() > 255
        np.testing.assert_allclose(moved, exact.clip(0, 255), atol=0.51)

    def test_no_deviation_changes_nothing(self):
        pictures = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), np.uint8)
        np.testing.assert_array_equal(pca_colour(pictures, IMAGENET, 0.0, (0, 0)), pictures)

    def test_the_same_seed_gives_the_same_and_another_others(self):
        first, again, other = (shifts(GREY, pictures=5, seed=seed) for seed in [(1, 2), (1, 2), (1, 3)])
        np.testing.assert_array_equal(first, again)
        assert (first != other).all()

    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    def test_tf_data_gives_what_eager_calls_give(self, dtype):
        pictures = (np.random.default_rng(0).random((8, 3, 5, 5, 3)) * 255).astype(dtype)
        batches = (
            tf.data.Dataset.from_tensor_slices(pictures)
            .enumerate()
            .map(lambda step, batch: pca_colour(batch, IMAGENET, 0.1, tf.stack([step, 1])), num_parallel_calls=4)
        )
        for step, batch in enumerate(batches):
            np.testing.assert_allclose(batch, pca_colour(pictures[step], IMAGENET, 0.1, (step, 1)), atol=1e-4)

    def test_grey_pictures_are_refused(self):
        with pytest.raises(ValueError, match=r"RGB.*\(2, 4, 4, 1\)"):
            pca_colour(np.zeros((2, 4, 4, 1), np.uint8), IMAGENET, 0.1, (0, 0))
