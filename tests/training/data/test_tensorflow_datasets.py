"""With a real builder of the package, generated on the spot."""

import sys

import numpy as np
import pytest

from training import data
from training.errors import DataUnusable
from training.recipes.recipe import Recipe
from training.sources import source_of
from training.streams import Streamed

tfds = pytest.importorskip("tensorflow_datasets")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Squares(tfds.core.GeneratorBasedBuilder):
    """Dark and light squares; those of the split test have no class, as ImageNet's."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(12, 12, 1)),
            "label": tfds.features.ClassLabel(names=["dark", "light"]),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._squares(20), "validation": self._squares(6), "test": self._squares(3, unknown=True)}

    def _generate_examples(self):
        raise NotImplementedError

    def _squares(self, count, unknown=False):
        for number in range(count):
            image = np.full((12, 12, 1), 200 * (number % 2), np.uint8)
            yield number, {"image": image, "label": -1 if unknown else number % 2}


@pytest.fixture
def prepared(tmp_path):
    Squares(data_dir=tmp_path).download_and_prepare()
    return tmp_path


def test_a_data_set_of_the_package_is_read_by_its_name(prepared):
    squares = data.load("tfds:squares", prepared)
    assert (squares.labels, squares.channels, len(squares.train)) == (("dark", "light"), 1, 20)
    for image, class_id in zip(squares.train.images, squares.train.class_ids, strict=True):
        assert (image.shape, image[0, 0, 0]) == ((12, 12, 1), 200 * class_id)


def test_where_test_has_no_classes_validation_is_measured_on(prepared):
    squares = data.load("tfds:squares:1.0.0", prepared)
    assert (squares.test_name, len(squares.test), squares.test.class_ids.sum()) == ("validation", 6, 3)


def test_it_is_kept_or_streamed_like_any_other(prepared):
    squares = data.load("tfds:squares", prepared)
    for recipe in (
        Recipe(input_side=12, shorter_side=12, batch_size=4, epochs=1),
        Recipe(input_side=12, shorter_side=12, batch_size=4, epochs=1, crop="area"),
    ):
        source = source_of(squares, recipe)
        assert isinstance(source, Streamed) == (recipe.crop == "area")
        for rows, ids in source.batches(0, 0):
            np.testing.assert_array_equal(rows[:, 0, 0, 0], 200 * ids.numpy())


def test_an_unknown_name_is_refused(tmp_path):
    with pytest.raises(DataUnusable, match="of 'no_such_thing' it says"):
        data.load("tfds:no_such_thing", tmp_path)


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(DataUnusable, match="pip install tensorflow-datasets"):
        data.load("tfds:cifar10")
