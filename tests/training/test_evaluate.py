import asyncio
import math
import time
import weakref
from collections.abc import Sequence

import keras
import numpy as np
import pytest

from protos.classification_pb2 import ClassifyRequest, Tensor, Views, Vote
from serving.metrics import Metrics
from serving.models.engines.tensorflow import TensorFlowEngine
from serving.models.repository import Repository
from serving.models.servable import Batching, Servable
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from training.data import DataSet, Pictures
from training.errors import DataUnusable
from training.evaluate import Scores, measure, open_member, table
from training.export import publish_trained
from training.fit import Trained, make_model


@pytest.fixture
def models(tiny_recipe, tiny_data, tmp_path):
    """Two published models with random weights, which views and votes tell apart."""
    for seed, name in enumerate("ab"):
        keras.utils.set_random_seed(seed)
        model = make_model(tiny_recipe, 3, tiny_data.train.images)
        publish_trained(Trained(model, tiny_recipe, seed, 0.0), tiny_data, tmp_path / "models" / name)
    (tmp_path / "models" / "models.yaml").write_text(
        "ensembles:\n  both:\n    members: [{model: a}, {model: b}]\n    vote: mean-probability\n"
    )
    return tmp_path / "models"


async def served_errors(root, name, data, views, vote):
    """The top-1 error of answers given by the classifier of a server."""
    metrics = Metrics()

    def load(directory):
        observer = metrics.queue_observer(directory.parent.name, 1)
        return Servable.load(directory, TensorFlowEngine, Batching(), time.monotonic, observer)

    repository = Repository.load(root, load)
    classifier = Classifier(repository, Limits(), metrics, time.monotonic, 1)
    wrong = 0
    for image, class_id in zip(data.test.images, data.test.class_ids, strict=True):
        tensor = Tensor(data_type=Tensor.DATA_TYPE_UINT8, shape=image.shape, content=image.tobytes())
        request = ClassifyRequest(tensor=tensor, views=views, vote=vote)
        request.model.name = name
        answer = await classifier.classify(request, math.inf)
        wrong += answer.verdict.ranking[0] != class_id
    classifier.close()
    for servable in repository.servables:
        await servable.close()
    return wrong / len(data.test)


@pytest.mark.parametrize("vote", [Vote.VOTE_MEAN_PROBABILITY, Vote.VOTE_MAJORITY])
@pytest.mark.parametrize("views", [Views.VIEWS_SINGLE, Views.VIEWS_MIRROR, Views.VIEWS_FIVE, Views.VIEWS_TEN])
def test_the_measured_error_is_the_served_error(models, tiny_data, views, vote):
    scores = measure([open_member(models / "a"), open_member(models / "b")], tiny_data)
    assert scores.errors(views, vote).top_1 == asyncio.run(served_errors(models, "both", tiny_data, views, vote))
    assert scores.of(1).errors(views, vote).top_1 == asyncio.run(served_errors(models, "b", tiny_data, views, vote))


def test_top_5_is_wrong_where_the_truth_is_sixth():
    logits = np.tile(np.arange(7, 0, -1, dtype=np.float32), (4, 1, 10, 1))  # ranks the classes 0, 1, ... 6
    errors = Scores("some", logits, np.array([0, 1, 4, 5])).errors(Views.VIEWS_TEN)
    assert errors == (0.75, 0.25)


def test_only_the_views_asked_for_vote():
    logits = np.zeros((1, 1, 10, 2), np.float32)
    logits[:, :, 0, 0] = 1  # the centre says 0,
    logits[:, :, 5, 1] = 3  # its mirror image louder 1
    scores = Scores("some", logits, np.array([0]))
    assert scores.errors(Views.VIEWS_SINGLE).top_1 == 0
    assert scores.errors(Views.VIEWS_MIRROR).top_1 == 1
    assert scores.errors(Views.VIEWS_FIVE).top_1 == 0


def test_a_version_or_the_newest_of_a_model_is_opened(models, tiny_data, tiny_recipe):
    keras.utils.set_random_seed(9)
    model = make_model(tiny_recipe, 3, tiny_data.train.images)
    publish_trained(Trained(model, tiny_recipe, 9, 0.0), tiny_data, models / "a")
    assert open_member(models / "a").card.provenance.seed == 9
    assert open_member(models / "a" / "1").card.provenance.seed == 0


def test_pictures_of_other_classes_are_refused(models, tiny_data):
    other = DataSet("other", ("dark", "grey", "white"), tiny_data.train, tiny_data.test)
    with pytest.raises(DataUnusable, match="'a' knows dark, grey, bright, and other has dark, grey, white"):
        measure([open_member(models / "a")], other)


class Lazy(Sequence):
    """Pictures made when they are asked for, which knows how many were alive at once."""

    def __init__(self, count):
        self._count = count
        self._alive = []
        self.most_alive = 0

    def __len__(self):
        return self._count

    def __getitem__(self, index):
        if index >= self._count:
            raise IndexError(index)
        image = np.full((16, 16, 1), index, np.uint8)
        self._alive = [each for each in self._alive if each() is not None] + [weakref.ref(image)]
        self.most_alive = max(self.most_alive, len(self._alive))
        return image


def test_a_picture_is_fetched_when_its_turn_comes(models, tiny_data):
    lazy = Lazy(150)
    data = DataSet("lazy", tiny_data.labels, tiny_data.train, Pictures(lazy, np.zeros(150, np.int32)))
    assert measure([open_member(models / "a")], data).logits.shape == (150, 1, 10, 3)
    assert lazy.most_alive <= 64


@pytest.mark.parametrize(("classes", "legend"), [(5, "top-1 error in %"), (6, "top-1 / top-5 error in %")])
def test_the_table_says_what_its_cells_are(classes, legend):
    scores = Scores("some", np.zeros((1, 1, 10, classes), np.float32), np.array([0]))
    assert table(scores, ["a"], "mean-probability").title == f"some, 1 pictures, mean-probability; {legend}"
