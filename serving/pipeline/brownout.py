"""Fewer views under pressure, where the caller would rather have that than be refused. Pure."""

from collections.abc import Callable

from protos import classification_pb2 as pb
from serving.pipeline.plans import PLANS

_STEPS = (pb.VIEWS_TEN, pb.VIEWS_FIVE, pb.VIEWS_SINGLE)


def steps_down(views: pb.Views, min_views: pb.Views) -> list[pb.Views]:
    """From `views` to `min_views`, by way of those of ten, five and one view that lie between them."""
    most, fewest = len(PLANS[views]), len(PLANS[min_views])
    between = [step for step in _STEPS if fewest < len(PLANS[step]) < most]
    return [views, *between, *([min_views] if fewest < most else [])]


def stepped_down(views: pb.Views, min_views: pb.Views, has_time_for: Callable[[int], bool]) -> pb.Views:
    """The first of these steps for whose number of views there is time; the last where there is for none."""
    steps = steps_down(views, min_views)
    return next((step for step in steps if has_time_for(len(PLANS[step]))), steps[-1])
