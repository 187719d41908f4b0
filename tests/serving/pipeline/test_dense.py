"""Dense views: the whole canvas and its mirror image, and which pictures are too long for them."""

import numpy as np
import pytest
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import Geometry, Input
from serving.errors import InvalidRequest
from serving.pipeline import dense
from serving.pipeline.plans import PLANS
from serving.pipeline.views import cut
from tests.serving.picture_files import noise


def test_rows_are_the_whole_canvas_and_its_mirror_image():
    """Simonyan and Zisserman 2014, section 3.2: the network is applied over the whole rescaled image, and "we also
    augment the test set by horizontal flipping of the images"."""
    model = Input(height=224, width=224, channels=3), Geometry(shorter_side=256, margin=3)
    rows = dense.canvases(Image.fromarray(noise(375, 500)), *model)
    assert (rows.shape, rows.dtype) == ((2, 256 + 6, 341 + 6, 3), np.uint8)
    np.testing.assert_array_equal(rows[1], rows[0, :, ::-1])
    corners = cut(Image.fromarray(noise(375, 500)), *model, pb.VIEWS_FIVE)[1:]
    np.testing.assert_array_equal(corners[0], rows[0, :224, :224])
    np.testing.assert_array_equal(corners[3], rows[0, -224:, -224:])


def test_its_views_are_named():
    assert [view.name for view in PLANS[pb.VIEWS_DENSE]] == ["whole canvas", "whole canvas mirrored"]


@pytest.mark.parametrize("size", [(401, 100), (100, 401)])
def test_a_picture_of_more_than_four_times_its_shorter_side_is_refused(size):
    dense.check_aspect((400, 100))
    with pytest.raises(InvalidRequest, match=rf"at most 4 times its shorter; {size[0]}x{size[1]} came"):
        dense.check_aspect(size)
