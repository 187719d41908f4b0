"""The gRPC door answers right: every choice of views, vote, model and extras against plain numpy."""

import itertools

import numpy as np
import pytest

from protos import classification_pb2 as pb
from tests.serving.choir import CHOIR, GREYS, SHADES_1, SHADES_2, TONES
from tests.serving.oracle import Choir, voted
from tests.serving.picture_files import file_of, noise
from tests.serving.tiny import LABELS

PICTURE = noise(16, 20)
ENCODED = file_of(PICTURE)
VIEWS = [pb.VIEWS_SINGLE, pb.VIEWS_MIRROR, pb.VIEWS_FIVE, pb.VIEWS_TEN]  # that the oracle cuts
VOTES = [vote for vote in pb.Vote.values() if vote]
ALL = len(LABELS)


def asked(name="shades", **fields) -> pb.ClassifyRequest:
    choice = {key: fields.pop(key) for key in ("version", "version_label") if key in fields}
    picture = {} if "tensor" in fields else {"encoded": ENCODED}
    return pb.ClassifyRequest(model=pb.ModelSpec(name=name, **choice), **picture, **fields)


def by_class(response: pb.ClassifyResponse) -> list[float]:
    """Probabilities in class order, of a response with all classes."""
    probabilities = {prediction.class_id: prediction.probability for prediction in response.predictions}
    return [probabilities[class_id] for class_id in range(ALL)]


def check(response: pb.ClassifyResponse, expected: np.ndarray) -> None:
    """Probabilities, order and labels."""
    np.testing.assert_allclose(by_class(response), expected, atol=2e-5)
    probabilities = [prediction.probability for prediction in response.predictions]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(prediction.label == LABELS[prediction.class_id] for prediction in response.predictions)


@pytest.mark.parametrize(("views", "vote"), list(itertools.product(VIEWS, VOTES)))
def test_a_model_alone_votes_over_its_views(served, views, vote):
    response = served.classify(asked(views=views, vote=vote, top_k=ALL))
    check(response, Choir([SHADES_2]).probabilities(PICTURE, views, vote))
    assert (response.views, response.vote) == (views, vote)
    assert [(each.name, each.version) for each in response.model_versions] == [("shades", 2)]


@pytest.mark.parametrize(("views", "vote"), list(itertools.product(VIEWS, VOTES)))
def test_an_ensemble_votes_by_weight_over_members_and_views(served, views, vote):
    response = served.classify(asked("choir", views=views, vote=vote, top_k=ALL))
    check(response, CHOIR.probabilities(PICTURE, views, vote))
    assert [(each.name, each.version) for each in response.model_versions] == [
        ("shades", 1),
        ("tones", 1),
        ("greys", 1),
    ]


def test_left_to_the_server_views_are_single_and_the_vote_is_the_models(served):
    response = served.classify(asked("tones", top_k=ALL))
    assert (response.views, response.vote) == (pb.VIEWS_SINGLE, pb.VOTE_MAJORITY)
    check(response, Choir([TONES]).probabilities(PICTURE))


def test_left_to_the_server_the_vote_of_an_ensemble_is_the_declared_one(served):
    assert served.classify(asked("choir")).vote == pb.VOTE_MEAN_LOGIT


def test_without_a_name_the_only_ensemble_answers(served):
    response = served.classify(pb.ClassifyRequest(encoded=ENCODED, top_k=ALL))
    check(response, CHOIR.probabilities(PICTURE, vote=pb.VOTE_MEAN_LOGIT))


@pytest.mark.parametrize("choice", [{"version": 1}, {"version_label": "production"}])
def test_a_version_that_is_asked_for_answers(served, choice):
    response = served.classify(asked(top_k=ALL, **choice))
    check(response, Choir([SHADES_1]).probabilities(PICTURE))
    assert response.model_versions[0].version == 1


def test_a_grey_model_sees_a_colour_picture_in_grey(served):
    check(served.classify(asked("greys", top_k=ALL)), Choir([GREYS]).probabilities(PICTURE))


@pytest.mark.parametrize("shape", [(16, 20), (16, 20, 1), (16, 20, 3)])
@pytest.mark.parametrize("kind", [pb.Tensor.DATA_TYPE_UINT8, pb.Tensor.DATA_TYPE_FLOAT32])
def test_a_tensor_is_a_picture_too(served, shape, kind):
    samples = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    content = samples if kind == pb.Tensor.DATA_TYPE_UINT8 else (samples / 255).astype("<f4")
    tensor = pb.Tensor(data_type=kind, shape=shape, content=content.tobytes())
    picture = samples.squeeze(axis=2) if shape[2:] == (1,) else samples
    check(served.classify(asked(tensor=tensor, top_k=ALL)), Choir([SHADES_2]).probabilities(picture))


def test_a_picture_large_enough_for_the_decoding_threads_is_answered_right(served):
    plain = np.full((320, 400, 3), (40, 90, 200), np.uint8)
    model = pb.ModelSpec(name="shades")
    response = served.classify(pb.ClassifyRequest(model=model, encoded=file_of(plain), top_k=ALL))
    check(response, Choir([SHADES_2]).probabilities(plain[:16, :20]))


@pytest.mark.parametrize("top_k", [1, 3, ALL])
def test_top_k_gives_the_first_so_many_of_the_ranking(served, top_k):
    whole = served.classify(asked(top_k=ALL)).predictions
    assert served.classify(asked(top_k=top_k)).predictions == whole[:top_k]


def test_top_k_left_out_gives_five(served):
    assert len(served.classify(asked()).predictions) == 5


@pytest.mark.parametrize(("views", "vote"), list(itertools.product(VIEWS, VOTES)))
def test_agreement_is_the_weight_of_those_who_would_have_named_the_winner(served, views, vote):
    response = served.classify(asked("choir", views=views, vote=vote))
    logits, weights = CHOIR.logits(PICTURE, views), np.array(CHOIR.weights)
    winner = response.predictions[0].class_id
    of_views = np.average((logits.argmax(axis=-1) == winner).mean(axis=1), weights=weights)
    alone = [voted(member[None], vote, [1.0]).argmax() == winner for member in logits]
    assert response.view_agreement == pytest.approx(of_views, abs=1e-6)
    assert response.member_agreement == pytest.approx(np.average(alone, weights=weights), abs=1e-6)


def test_an_answer_less_confident_than_was_asked_for_abstains_and_says_why(served):
    winner = served.classify(asked()).predictions[0]
    response = served.classify(asked(min_confidence=winner.probability + 0.01))
    assert response.label == ""
    assert response.abstained.startswith(f"The winner's probability is {winner.probability:.4g}")
    assert response.predictions[0] == winner


def test_an_answer_as_confident_as_was_asked_for_names_its_label(served):
    winner = served.classify(asked()).predictions[0]
    response = served.classify(asked(min_confidence=winner.probability))
    assert (response.label, response.abstained) == (winner.label, "")


@pytest.mark.parametrize("vote", VOTES)
def test_view_scores_are_what_each_view_would_have_answered_alone(served, vote):
    response = served.classify(asked("choir", views=pb.VIEWS_FIVE, vote=vote, with_view_scores=True))
    assert [scores.name for scores in response.view_scores] == [
        "centre",
        "top left",
        "top right",
        "bottom left",
        "bottom right",
    ]
    logits = CHOIR.logits(PICTURE, pb.VIEWS_FIVE)
    for number, scores in enumerate(response.view_scores):
        alone = voted(logits[:, number : number + 1], vote, CHOIR.weights)
        np.testing.assert_allclose(scores.probabilities, alone, atol=2e-5)


@pytest.mark.parametrize("vote", VOTES)
def test_member_scores_are_what_each_member_would_have_answered_alone(served, vote):
    response = served.classify(asked("choir", views=pb.VIEWS_TEN, vote=vote, with_member_scores=True))
    assert [scores.name for scores in response.member_scores] == ["shades", "tones", "greys"]
    for member, scores in zip(CHOIR.members, response.member_scores, strict=True):
        alone = Choir([member]).probabilities(PICTURE, pb.VIEWS_TEN, vote)
        np.testing.assert_allclose(scores.probabilities, alone, atol=2e-5)


def test_scores_that_are_not_asked_for_are_not_sent(served):
    response = served.classify(asked("choir", views=pb.VIEWS_TEN))
    assert (len(response.view_scores), len(response.member_scores)) == (0, 0)


def test_times_in_queue_decoding_and_computing_are_told(served):
    timing = served.classify(asked()).timing
    assert timing.decode_seconds > 0
    assert timing.queue_seconds >= 0
    assert timing.compute_seconds > 0


def test_everything_that_is_served_is_listed_in_order_of_name(served):
    models = {model.name: model for model in served.stub.ListModels(pb.ListModelsRequest()).models}
    assert list(models) == ["choir", "greys", "shades", "tones"]
    assert list(models["shades"].versions) == [2, 1]
    assert dict(models["shades"].version_labels) == {"production": 1}
    assert all(tuple(model.labels) == LABELS for model in models.values())
    assert models["tones"].vote == pb.VOTE_MAJORITY
    assert [(each.model_version.name, each.model_version.version, each.weight) for each in models["choir"].members] == [
        ("shades", 1, 1.0),
        ("tones", 1, 2.0),
        ("greys", 1, 0.5),
    ]
    assert list(models["choir"].versions) == []
