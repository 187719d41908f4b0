import numpy as np

from protos.classification_pb2 import Views, Vote
from serving.pipeline.plans import OF_THE_TEN
from training.evaluation.scores import Scores, measurements


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


def test_measurements_have_a_line_for_each_choice_of_views():
    logits = np.zeros((2, 1, 10, 2), np.float32)
    logits[:, :, 0, 0] = 1
    logits[:, :, 5, 1] = 3
    scores = Scores("some", logits, np.array([0, 0]))
    measured = list(measurements("some", {views: scores.outcome(views) for views in OF_THE_TEN}))
    assert [(each.views, each.top_1_error) for each in measured] == [
        (Views.VIEWS_SINGLE, 0),
        (Views.VIEWS_MIRROR, 1),
        (Views.VIEWS_FIVE, 0),
        (Views.VIEWS_TEN, 1),
    ]
    assert {(each.data_set, each.pictures, each.vote) for each in measured} == {("some", 2, Vote.VOTE_MEAN_PROBABILITY)}
    assert not any(each.HasField("top_5_error") for each in measured)
