"""Boxes: where they are cut, how they are resized, and which are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import Input
from serving.errors import InvalidRequest
from serving.pipeline import boxes
from tests.serving.picture_files import noise

NAN = float("nan")
COLOUR = Input(height=6, width=8, channels=3)


def box(top, left, bottom, right):
    return pb.Box(top=top, left=left, bottom=bottom, right=right)


def test_a_box_of_the_inputs_size_keeps_every_sample():
    picture = noise(12, 16)
    (row,) = boxes.cut(Image.fromarray(picture), COLOUR, [box(0.25, 0.5, 0.75, 1)])
    np.testing.assert_array_equal(row, picture[3:9, 8:16])


def test_a_box_sees_nothing_that_is_outside_it():
    picture = np.full((40, 40), 255, np.uint8)
    picture[10:20, 10:30] = 7
    (row,) = boxes.cut(Image.fromarray(picture), Input(height=16, width=16, channels=1), [box(0.25, 0.25, 0.5, 0.75)])
    assert set(row.flat) == {7}


def test_a_box_that_shrinks_is_averaged_over_its_area():
    chequered = np.indices((128, 128)).sum(axis=0) % 2 * np.uint8(255)
    picture = Image.fromarray(chequered.astype(np.uint8))
    (row,) = boxes.cut(picture, Input(height=16, width=16, channels=1), [box(0, 0, 0.5, 0.5)])
    assert np.abs(row[1:-1, 1:-1].astype(float) - 127.5).max() <= 1


def test_a_colour_picture_becomes_grey_for_a_grey_input_and_a_grey_one_fills_all_channels():
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    assert set(boxes.cut(red, Input(height=4, width=4, channels=1), [box(0, 0, 1, 1)]).flat) == {76}
    grey = boxes.cut(Image.fromarray(noise(8, 8, channels=None)), COLOUR, [box(0, 0, 1, 1)])
    np.testing.assert_array_equal(grey[..., 0], grey[..., 2])


@given(st.integers(8, 40), st.integers(8, 40), st.integers(1, 5), st.sampled_from([1, 3]))
def test_rows_have_the_inputs_shape_in_the_order_of_the_boxes(height, width, count, channels):
    picture = Image.fromarray(np.broadcast_to(np.arange(width, dtype=np.uint8), (height, width)).copy())
    listed = [box(0, number / 10, 1, number / 10 + 0.5) for number in range(count)]
    rows = boxes.cut(picture, Input(height=5, width=7, channels=channels), listed)
    assert (rows.shape, rows.dtype) == ((count, 5, 7, channels), np.uint8)
    means = rows.mean(axis=(1, 2, 3))
    assert (np.diff(means) >= 0).all()


@pytest.mark.parametrize(
    ("views", "listed", "message"),
    [
        (pb.VIEWS_BOXES, [], "are 1 to 150 boxes; 0 came"),
        (pb.VIEWS_BOXES, [box(0, 0, 1, 1)] * 151, "are 1 to 150 boxes; 151 came"),
        (pb.VIEWS_TEN, [box(0, 0, 1, 1)], "1 came with VIEWS_TEN. Ask for VIEWS_BOXES"),
        (pb.VIEWS_BOXES, [box(0, 0, 1, 1), box(0.5, 0, 0.5, 1)], "box 2 has top 0.5, left 0, bottom 0.5 and right 1"),
        (pb.VIEWS_BOXES, [box(0, 0.6, 1, 0.5)], "left < right"),
        (pb.VIEWS_BOXES, [box(-0.1, 0, 1, 1)], "top -0.1"),
        (pb.VIEWS_BOXES, [box(0, 0, 1, 1.01)], "right 1.01"),
        (pb.VIEWS_BOXES, [box(0, 0, 224, 224)], "Divide pixels by the picture's height and width"),
        *((pb.VIEWS_BOXES, [box(*(NAN if side == at else 0.5 for side in range(4)))], "nan") for at in range(4)),
    ],
)
def test_boxes_that_are_none_are_refused(views, listed, message):
    with pytest.raises(InvalidRequest, match=message):
        boxes.check(views, listed)


@pytest.mark.parametrize("listed", [[box(0, 0, 1, 1)], [box(0.1, 0.2, 0.3, 0.4)] * 150])
def test_boxes_within_the_picture_are_taken(listed):
    boxes.check(pb.VIEWS_BOXES, listed)


def test_a_box_of_few_pixels_is_refused():
    with pytest.raises(InvalidRequest, match="at least 4 pixels on each side; box 2 has 16x3 of the picture's 16x12"):
        boxes.cut(Image.fromarray(noise(12, 16)), COLOUR, [box(0, 0, 1, 1), box(0, 0, 0.25, 1)])


def test_boxes_of_too_many_pixels_together_are_refused(monkeypatch):
    monkeypatch.setattr(boxes, "MOST_PIXELS", 500)
    picture, all_of_it = Image.fromarray(noise(12, 16)), box(0, 0, 1, 1)
    boxes.cut(picture, COLOUR, [all_of_it] * 2)
    with pytest.raises(InvalidRequest, match="at most 500 pixels together; 3 boxes of 576 came"):
        boxes.cut(picture, COLOUR, [all_of_it] * 3)
