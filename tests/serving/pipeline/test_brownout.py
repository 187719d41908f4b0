"""Fewer views under pressure: by which steps, and as far as the caller allows."""

import pytest

from protos import classification_pb2 as pb
from serving.pipeline.brownout import stepped_down, steps_down

SINGLE, MIRROR, FIVE, TEN = pb.VIEWS_SINGLE, pb.VIEWS_MIRROR, pb.VIEWS_FIVE, pb.VIEWS_TEN


@pytest.mark.parametrize(
    ("views", "min_views", "steps"),
    [
        (pb.VIEWS_GRID, SINGLE, [pb.VIEWS_GRID, TEN, FIVE, SINGLE]),
        (pb.VIEWS_INCEPTION_144, TEN, [pb.VIEWS_INCEPTION_144, TEN]),
        (TEN, FIVE, [TEN, FIVE]),
        (TEN, MIRROR, [TEN, FIVE, MIRROR]),
        (pb.VIEWS_MULTI_SCALE, SINGLE, [pb.VIEWS_MULTI_SCALE, FIVE, SINGLE]),
        (TEN, TEN, [TEN]),
    ],
)
def test_views_step_down_by_ten_five_and_one(views, min_views, steps):
    assert steps_down(views, min_views) == steps


@pytest.mark.parametrize(
    ("room", "views"), [(200, pb.VIEWS_GRID), (149, TEN), (10, TEN), (9, FIVE), (1, FIVE), (0, FIVE)]
)
def test_the_most_views_are_taken_for_which_there_is_time_and_the_fewest_where_there_is_for_none(room, views):
    assert stepped_down(pb.VIEWS_GRID, FIVE, lambda rows: rows <= room) == views
