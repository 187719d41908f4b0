import math
import time
import weakref
from collections.abc import Sequence

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from protos.classification_pb2 import ClassifyRequest, Tensor, Views, Vote
from protos.model_card_pb2 import Geometry, Input, ModelCard
from serving.errors import EngineFailed, InvalidRequest
from serving.metrics import Metrics
from serving.models.declaration import VOTES
from serving.models.engines.engine import Engine
from serving.models.engines.tensorflow import TensorFlowEngine, dense_engine
from serving.models.lifecycle.manager import Manager
from serving.models.servable import Batching, Servable
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits, decode, open_header
from serving.pipeline.plans import OF_THE_TEN, PLANS
from serving.pipeline.reduction import reduce
from serving.pipeline.views import cut, enough
from training.data import DataSet, Pictures
from training.data.image_folder import Files
from training.errors import DataUnusable
from training.evaluate import Member, count_votes, measure, open_member
from training.export import golden_rows, publish_model


def publish_tiny(directory, data, seed):
    """A new version of a model with random weights, which views and votes tell apart."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((16, 16, 1), dtype="uint8")
    features = keras.layers.Flatten()(keras.layers.Rescaling(1 / 64, dtype="float32")(inputs))
    card = tiny_card(directory.name, data.labels)
    card.provenance.seed = seed
    model = keras.Model(inputs, keras.layers.Dense(len(data.labels))(features))
    return publish_model(model, card, golden_rows(data.test, card), lambda engine: [], directory)


def tiny_card(name, labels):
    """Of a model that sees crops of 16x16 from pictures of that size with a margin of 1."""
    return ModelCard(
        name=name,
        input=Input(height=16, width=16, channels=1),
        labels=labels,
        geometry=Geometry(shorter_side=16, margin=1),
        temperature=1.0,
        vote=Vote.VOTE_MEAN_PROBABILITY,
    )


@pytest.fixture(scope="module")
def models(tiny_data, tmp_path_factory):
    """Two published models and the ensemble of both. Not to be changed."""
    root = tmp_path_factory.mktemp("models")
    for seed, name in enumerate("ab"):
        publish_tiny(root / name, tiny_data, seed)
    (root / "models.yaml").write_text(
        "ensembles:\n  both:\n    members: [{model: a}, {model: b, weight: 3}]\n    vote: mean-probability\n"
    )
    return root


@pytest.fixture(scope="module")
def members(models):
    return {name: open_member(models / name) for name in "ab"}


@pytest.fixture(scope="module")
def classifier(models, loop):
    """A server's, of `models`."""
    metrics = Metrics()

    def load(directory, declared):
        observer = metrics.queue_observer(directory.parent.name, 1)
        return Servable.load(directory, TensorFlowEngine, Batching.of(), time.monotonic, observer, dense_engine)

    repository = loop.run(Manager(models, load, metrics).start())
    classifier = Classifier(repository, Limits(), metrics, time.monotonic, 1)
    yield classifier
    classifier.close()
    for servable in repository.servables:
        loop.run(servable.close())


async def served_errors(classifier, name, data, views, vote):
    """The top-1 error of answers given by `classifier`."""
    wrong = 0
    for image, class_id in zip(data.test.images, data.test.class_ids, strict=True):
        tensor = Tensor(data_type=Tensor.DATA_TYPE_UINT8, shape=image.shape, content=image.tobytes())
        request = ClassifyRequest(tensor=tensor, views=views, vote=vote)
        request.model.name = name
        answer = await classifier.classify(request, math.inf)
        wrong += answer.verdict.ranking[0] != class_id
    return wrong / len(data.test)


@pytest.mark.parametrize("views", PLANS)
@pytest.mark.parametrize("vote_name", ["mean-probability", "majority"])
def test_the_measured_error_is_the_served_error(members, classifier, loop, tiny_data, views, vote_name):
    tally = count_votes(members, tiny_data, vote_name, [views], weights=[1, 3])
    vote = VOTES[vote_name]
    served = [loop.run(served_errors(classifier, name, tiny_data, views, vote)) for name in ("b", "both")]
    assert [row.outcomes[views].errors().top_1 for row in tally.rows[1:]] == served
    if vote_name == "mean-probability" and views in OF_THE_TEN:
        assert measure([members["b"]], tiny_data).errors(views).top_1 == served[0]


def test_a_version_or_the_newest_of_a_model_is_opened(tiny_data, tmp_path):
    for seed in (1, 9):
        publish_tiny(tmp_path / "a", tiny_data, seed)
    assert open_member(tmp_path / "a").card.provenance.seed == 9
    assert open_member(tmp_path / "a" / "1").card.provenance.seed == 1


class Brightness(Engine):
    """An engine whose logit for class k falls with the distance of a picture's mean from 20 k; it counts its rows."""

    def __init__(self, classes=3):
        self._targets = 20 * np.arange(classes)
        self.rows = 0

    def run(self, rows):
        self.rows += len(rows)
        return -np.abs(rows.mean(axis=(1, 2, 3))[:, None] - self._targets).astype(np.float32)


def brightness(*levels, labels=("dark", "grey", "bright")):
    """A data set with one even picture a level, of class level // 20."""
    levels = np.array(levels, np.int32)
    pictures = Pictures(np.broadcast_to(levels[:, None, None, None], (len(levels), 16, 16, 1)).astype(np.uint8), levels)
    ids = Pictures(pictures.images, levels // 20)
    return DataSet("levels", labels, ids, ids)


def as_member(engine, labels=("dark", "grey", "bright")):
    card = tiny_card("levels", labels)
    card.geometry.margin = 0
    return Member(card, engine)


def test_a_winner_its_place_and_its_confidence_are_kept_in_the_order_of_the_pictures():
    levels = [0, 25, 45, 39] * 40
    tally = count_votes({"a": as_member(Brightness())}, brightness(*levels))
    outcome = tally.rows[0].outcomes[Views.VIEWS_TEN]
    assert outcome.winners.tolist() == [0, 1, 2, 2] * 40
    assert outcome.places.tolist() == [0, 0, 0, 1] * 40
    logits = -np.abs(np.array(levels)[:, None] - 20 * np.arange(3))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outcome.confidences, probabilities.max(axis=1), rtol=1e-6)


@pytest.mark.parametrize(
    ("plans", "asked"),
    [
        ([Views.VIEWS_SINGLE], 1),
        ([Views.VIEWS_MIRROR, Views.VIEWS_SINGLE], 2),
        ([Views.VIEWS_FIVE], 5),
        ([Views.VIEWS_FIVE, Views.VIEWS_MIRROR], 10),
    ],
)
def test_no_more_views_are_computed_than_vote(plans, asked):
    engine = Brightness()
    tally = count_votes({"a": as_member(engine)}, brightness(0, 20, 39), plans=plans)
    assert set(tally.rows[0].outcomes) == set(plans)
    assert engine.rows >= 3 * asked  # the batch queue may pad
    assert engine.rows <= 4 * asked


def test_members_vote_alone_and_together_by_their_weights():
    right, shifted = Brightness(), Brightness()
    shifted._targets = shifted._targets - 20
    members = {"right": as_member(right), "shifted": as_member(shifted)}
    data = brightness(0, 20, 5, 25)
    for weights, together in (([3, 1], 0.0), ([1, 3], 1.0)):
        tally = count_votes(members, data, plans=[Views.VIEWS_SINGLE], weights=weights)
        errors = [row.outcomes[Views.VIEWS_SINGLE].errors().top_1 for row in tally.rows]
        assert [row.name for row in tally.rows] == ["right", "shifted", "all 2"]
        assert errors == [0.0, 1.0, together]


@pytest.mark.parametrize("ask", [measure, lambda members, data: count_votes({"a": members[0]}, data)])
def test_pictures_of_other_classes_are_refused(ask):
    other = brightness(0, labels=("dark", "grey", "white"))
    with pytest.raises(DataUnusable, match="'levels' knows dark, grey, bright, and levels has dark, grey, white"):
        ask([as_member(Brightness())], other)


def test_a_model_without_dense_views_is_not_measured_by_them():
    with pytest.raises(InvalidRequest, match="levels #1 has none"):
        count_votes({"a": as_member(Brightness())}, brightness(0, 20), plans=[Views.VIEWS_DENSE])


def test_an_engine_that_fails_ends_the_measuring_with_its_error():
    class Failing(Brightness):
        def run(self, rows):
            raise RuntimeError("out of memory")

    with pytest.raises(EngineFailed, match="out of memory"):
        measure([as_member(Failing())], brightness(*[0] * 200))


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


def test_a_picture_is_fetched_when_its_turn_comes(tiny_data):
    lazy = Lazy(150)
    data = DataSet("lazy", tiny_data.labels, tiny_data.train, Pictures(lazy, np.zeros(150, np.int32)))
    assert measure([as_member(Brightness(), tiny_data.labels)], data).logits.shape == (150, 1, 10, 3)
    assert lazy.most_alive <= 65  # those on the way, and the next


class Shards(Sequence):
    """Pictures that can be had in order only, as from shards; their labels say that there are `promised`."""

    def __init__(self, images, promised):
        self._images = images
        self._promised = promised

    def __len__(self):
        return self._promised

    def __iter__(self):
        return (image for image in self._images)

    def __getitem__(self, index):
        raise AssertionError("asked out of order")


def test_pictures_are_asked_for_in_one_pass():
    plain = brightness(0, 20, 40)
    streamed = Pictures(Shards(plain.test.images, 3), plain.test.class_ids)
    scores = measure([as_member(Brightness())], DataSet("shards", plain.labels, plain.train, streamed))
    assert scores.errors(Views.VIEWS_TEN).top_1 == 0


@pytest.mark.parametrize(("promised", "wrong"), [(2, "longer"), (4, "shorter")])
def test_pictures_that_are_fewer_or_more_than_promised_are_not_measured(promised, wrong):
    plain = brightness(0, 20, 40)
    streamed = Pictures(Shards(plain.test.images, promised), np.zeros(promised, np.int32))
    with pytest.raises(ValueError, match=wrong):
        measure([as_member(Brightness())], DataSet("shards", plain.labels, plain.train, streamed))


def test_a_large_file_is_measured_as_it_is_served_decoded_at_a_fraction_of_its_size(tmp_path):
    photograph = Image.fromarray(load_sample_images().images[0])
    photograph.save(tmp_path / "temple.jpg")
    plain, seen = brightness(0, 20, 40), []

    class Seeing(Brightness):
        def run(self, rows):
            seen.append(rows[0])
            return super().run(rows)

    files = Pictures(Files([str(tmp_path / "temple.jpg")], channels=1), np.zeros(1, np.int32))
    member = as_member(Seeing())
    measure([member], DataSet("files", plain.labels, plain.train, files))
    header = open_header((tmp_path / "temple.jpg").read_bytes(), Limits())
    part = reduce(header, enough(member.card.input, member.card.geometry, Views.VIEWS_SINGLE))
    reduced = decode(header)
    assert reduced.size == (80, 54)
    (row,) = cut(reduced, member.card.input, member.card.geometry, Views.VIEWS_SINGLE, part)
    np.testing.assert_array_equal(seen[0], row)
