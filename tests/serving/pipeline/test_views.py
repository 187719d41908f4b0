"""The geometry of views: shapes, places, mirror images, margins and colours, pinned to AlexNet's numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import Geometry, Input
from serving.pipeline import views
from serving.pipeline.plans import CROPS, OF_THE_TEN, OWN, PLANS, Canvas
from serving.pipeline.views import bytes_of_rows, cut, geometry_of, lay_out

COUNTS = {
    pb.VIEWS_SINGLE: 1,
    pb.VIEWS_MIRROR: 2,
    pb.VIEWS_FIVE: 5,
    pb.VIEWS_TEN: 10,
    pb.VIEWS_MULTI_SCALE: 6,
    pb.VIEWS_GRID: 150,
    pb.VIEWS_INCEPTION_144: 144,
}


@st.composite
def inputs_and_geometries(draw):
    """What a card that makes sense may say: a canvas at least as large as the input."""
    height, width, margin = draw(st.integers(1, 24)), draw(st.integers(1, 24)), draw(st.integers(0, 5))
    smallest = max(1, max(height, width) - 2 * margin)
    shorter_side = draw(st.integers(smallest, smallest + 10))
    channels = draw(st.sampled_from([1, 3]))
    return Input(height=height, width=width, channels=channels), Geometry(shorter_side=shorter_side, margin=margin)


@st.composite
def pictures(draw):
    """An 8-bit grey or RGB picture of noise, of any size."""
    height, width = draw(st.integers(4, 40)), draw(st.integers(4, 40))
    shape = (height, width) if draw(st.booleans()) else (height, width, 3)
    seed = draw(st.integers(0, 2**32 - 1))
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))


def coordinates(height, width):
    """A picture whose pixels tell where they are: red is the row, green the column."""
    samples = np.zeros((height, width, 3), np.uint8)
    samples[..., 0] = np.arange(height)[:, None]
    samples[..., 1] = np.arange(width)[None, :]
    return Image.fromarray(samples)


@given(pictures(), inputs_and_geometries(), st.sampled_from(list(COUNTS)))
def test_every_picture_gives_rows_of_the_shape_that_the_input_wants(picture, model, views):
    input, geometry = model
    rows = cut(picture, input, geometry, views)
    assert rows.shape == (COUNTS[views], input.height, input.width, input.channels)
    assert rows.dtype == np.uint8


@given(pictures(), inputs_and_geometries())
def test_ten_views_are_the_five_and_then_their_mirror_images(picture, model):
    five, ten = cut(picture, *model, pb.VIEWS_FIVE), cut(picture, *model, pb.VIEWS_TEN)
    np.testing.assert_array_equal(ten, np.concatenate([five, five[:, :, ::-1]]))


@given(pictures(), inputs_and_geometries())
def test_mirror_is_the_centre_and_its_mirror_image(picture, model):
    (centre,), (first, second) = cut(picture, *model, pb.VIEWS_SINGLE), cut(picture, *model, pb.VIEWS_MIRROR)
    np.testing.assert_array_equal(first, centre)
    np.testing.assert_array_equal(second[:, ::-1], centre)


@given(st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_a_mirrored_picture_seen_mirrored_is_the_picture(room, seed):
    samples = np.random.default_rng(seed).integers(0, 256, (16, 10 + 2 * room, 3), np.uint8)
    model = Input(height=9, width=10, channels=3), Geometry(shorter_side=min(samples.shape[:2]), margin=2)
    plain = cut(Image.fromarray(samples), *model, pb.VIEWS_MIRROR)
    mirrored = cut(Image.fromarray(samples[:, ::-1].copy()), *model, pb.VIEWS_MIRROR)
    np.testing.assert_array_equal(mirrored, plain[::-1])


@given(pictures(), inputs_and_geometries())
def test_corner_crops_are_the_corners_of_the_canvas(picture, model):
    input, geometry = model
    canvas = lay_out(picture, input, geometry)
    height, width = input.height, input.width
    _, top_left, top_right, bottom_left, bottom_right = cut(picture, input, geometry, pb.VIEWS_FIVE)
    np.testing.assert_array_equal(top_left, canvas[:height, :width])
    np.testing.assert_array_equal(top_right, canvas[:height, -width:])
    np.testing.assert_array_equal(bottom_left, canvas[-height:, :width])
    np.testing.assert_array_equal(bottom_right, canvas[-height:, -width:])


@given(pictures(), inputs_and_geometries())
def test_the_single_view_leaves_as_much_room_on_one_side_as_on_the_other(picture, model):
    input, geometry = model
    canvas = lay_out(picture, input, geometry)
    (centre,) = cut(picture, input, geometry, pb.VIEWS_SINGLE)
    tops = {(canvas.shape[0] - input.height) // 2, (canvas.shape[0] - input.height + 1) // 2}
    lefts = {(canvas.shape[1] - input.width) // 2, (canvas.shape[1] - input.width + 1) // 2}
    crops = [canvas[top : top + input.height, left : left + input.width] for top in tops for left in lefts]
    assert any(np.array_equal(centre, crop) for crop in crops)


@pytest.mark.parametrize(("side", "room", "middle"), [(227, 29, 14), (224, 32, 16)])
def test_alexnets_crops_lie_where_its_paper_says(side, room, middle):
    model = Input(height=side, width=side, channels=3), Geometry(shorter_side=256)
    corners = [tuple(row[0, 0, :2]) for row in cut(coordinates(256, 256), *model, pb.VIEWS_FIVE)]
    assert corners == [(middle, middle), (0, 0), (0, room), (room, 0), (room, room)]


def test_the_corners_of_a_long_picture_are_its_own_corners():
    model = Input(height=160, width=160, channels=3), Geometry(shorter_side=180)
    corners = [tuple(row[0, 0, :2]) for row in cut(coordinates(180, 240), *model, pb.VIEWS_FIVE)]
    assert corners == [(10, 40), (0, 0), (0, 80), (20, 0), (20, 80)]


@pytest.mark.parametrize(
    ("size", "canvas"), [((500, 375), (256, 341)), ((375, 500), (341, 256)), ((100, 1000), (2560, 256))]
)
def test_the_shorter_side_is_resized_and_the_aspect_kept(size, canvas):
    picture = Image.new("L", size)
    assert lay_out(picture, Input(height=224, width=224, channels=1), Geometry(shorter_side=256)).shape == (*canvas, 1)


def test_a_picture_of_the_right_size_keeps_every_sample():
    samples = np.random.default_rng(0).integers(0, 256, (28, 30, 3), np.uint8)
    canvas = lay_out(Image.fromarray(samples), Input(height=28, width=28, channels=3), Geometry(shorter_side=28))
    np.testing.assert_array_equal(canvas, samples)


def test_shrinking_averages_over_the_area():
    chequered = np.indices((128, 128)).sum(axis=0) % 2 * np.uint8(255)
    canvas = lay_out(
        Image.fromarray(chequered.astype(np.uint8)),
        Input(height=32, width=32, channels=1),
        Geometry(shorter_side=32),
    )
    assert np.abs(canvas[1:-1, 1:-1].astype(float) - 127.5).max() <= 1


def test_growing_is_bilinear():
    steep = Image.fromarray(np.repeat(np.array([[0, 200]], np.uint8), 2, axis=0))
    canvas = lay_out(steep, Input(height=4, width=4, channels=1), Geometry(shorter_side=4))
    np.testing.assert_array_equal(canvas[..., 0], [[0, 50, 150, 200]] * 4)


@given(pictures(), inputs_and_geometries())
def test_the_margin_is_black_and_the_picture_lies_inside_it(picture, model):
    input, geometry = model
    canvas = lay_out(picture, input, geometry)
    margin = geometry.margin
    bare = lay_out(picture, input, Geometry(shorter_side=geometry.shorter_side))
    np.testing.assert_array_equal(canvas, np.pad(bare, [(margin, margin), (margin, margin), (0, 0)]))


def test_a_grey_picture_fills_all_channels_of_a_colour_input():
    grey = np.random.default_rng(0).integers(0, 256, (9, 9), np.uint8)
    canvas = lay_out(Image.fromarray(grey), Input(height=9, width=9, channels=3), Geometry(shorter_side=9))
    np.testing.assert_array_equal(canvas, np.stack([grey] * 3, axis=-1))


@pytest.mark.parametrize(("colour", "luma"), [((255, 0, 0), 76), ((0, 255, 0), 150), ((0, 0, 255), 29), ((9, 9, 9), 9)])
def test_a_colour_picture_becomes_its_luma_for_a_grey_input(colour, luma):
    picture = Image.new("RGB", (6, 6), colour)
    canvas = lay_out(picture, Input(height=6, width=6, channels=1), Geometry(shorter_side=6))
    assert set(canvas.flat) == {luma}


def test_views_are_named_by_their_place():
    assert [view.name for view in CROPS[pb.VIEWS_FIVE]] == [
        "centre",
        "top left",
        "top right",
        "bottom left",
        "bottom right",
    ]
    assert [view.name for view in CROPS[pb.VIEWS_MIRROR]] == ["centre", "centre mirrored"]
    assert [view.name for view in CROPS[pb.VIEWS_MULTI_SCALE]][:3] == ["centre smaller", "centre", "centre larger"]
    assert CROPS[pb.VIEWS_GRID][-2].name == "100% down 75% across mirrored larger"
    assert CROPS[pb.VIEWS_INCEPTION_144][5].name == "first square whole at 8/7"


@pytest.mark.parametrize("views", CROPS)
def test_no_two_views_are_the_same_or_called_the_same(views):
    assert len(set(CROPS[views])) == len({view.name for view in CROPS[views]}) == COUNTS[views]


def test_the_choices_of_the_ten_are_all_those_whose_views_are_among_them():
    ten = set(PLANS[pb.VIEWS_TEN])
    assert list(OF_THE_TEN) == [views for views, plan in PLANS.items() if set(plan) <= ten]


@given(pictures(), inputs_and_geometries(), st.sampled_from([views for views in COUNTS if COUNTS[views] % 2 == 0]))
def test_the_second_half_of_views_and_their_mirror_images_mirrors_the_first(picture, model, views):
    rows = cut(picture, *model, views)
    half = len(rows) // 2
    np.testing.assert_array_equal(rows[half:], rows[:half, :, ::-1])


@pytest.mark.parametrize(
    ("canvas", "shorter_side", "margin"),
    [
        (OWN, 256, 3),
        (Canvas("card", -1), 224, 3),  # Simonyan and Zisserman 2014, section 4.2: 224, 256 and 288 at S = 256
        (Canvas("card", 1), 288, 3),
        *((Canvas("input", each - 7), 32 * each, 0) for each in (8, 9, 10, 11)),  # Szegedy et al. 2014, section 7
    ],
)
def test_of_an_input_of_224_pixels_canvases_are_those_of_the_papers(canvas, shorter_side, margin):
    laid_out = geometry_of(canvas, Input(height=224, width=224, channels=3), Geometry(shorter_side=256, margin=3))
    assert (laid_out.shorter_side, laid_out.margin) == (shorter_side, margin)


@given(inputs_and_geometries(), st.sampled_from([view.canvas for plan in CROPS.values() for view in plan]))
def test_no_canvas_is_smaller_than_the_input(model, canvas):
    input, geometry = model
    laid_out = geometry_of(canvas, input, geometry)
    assert laid_out.shorter_side >= 1
    assert laid_out.shorter_side + 2 * laid_out.margin >= max(input.height, input.width)


def test_vggs_grid_is_regular():
    model = Input(height=224, width=224, channels=3), Geometry(shorter_side=256)
    grid = cut(coordinates(256, 256), *model, pb.VIEWS_GRID)[25:50]  # the middle scale
    steps = [0, 8, 16, 24, 32]
    assert [tuple(row[0, 0, :2]) for row in grid] == [(top, left) for top in steps for left in steps]


@pytest.mark.parametrize(("size", "at"), [((256, 448), (0, 96, 192)), ((448, 256), (0, 96, 192))])
def test_googlenets_squares_lie_left_centre_and_right_or_top_centre_and_bottom(size, at):
    """Of a picture of 256 x 448 the squares at the first of the four scales are cut without resizing."""
    height, width = size
    ramp = np.arange(max(size)) // 2
    samples = np.broadcast_to(ramp if width > height else ramp[:, None], size).astype(np.uint8)
    model = Input(height=224, width=224, channels=1), Geometry(shorter_side=256)
    rows = cut(Image.fromarray(samples), *model, pb.VIEWS_INCEPTION_144)
    top_left = [int(rows[6 * square + 1][0, 0, 0]) * 2 for square in range(3)]
    assert top_left == list(at)
    bottom_right = [int(rows[6 * square + 4][-1, -1, 0]) for square in range(3)]
    assert bottom_right == [(first + 255) // 2 for first in at]


def test_a_whole_square_is_all_of_it_resized():
    """Black but for one corner of the middle square: it is seen in the corner of the square, and not of its crops."""
    samples = np.zeros((256, 448), np.uint8)
    samples[:16, 96:112] = 255
    model = Input(height=224, width=224, channels=1), Geometry(shorter_side=256)
    middle = cut(Image.fromarray(samples), *model, pb.VIEWS_INCEPTION_144)[6:12, ..., 0]
    whole = middle[5]
    assert (whole[:13, :13] == 255).all()
    assert whole[16:].max() == whole[:, 16:].max() == 0
    assert [bool(crop[0, 0]) for crop in middle] == [False, True, False, False, False, True]


def test_whole_squares_are_resized_once_for_themselves_and_their_mirror_images(monkeypatch):
    resized = []
    monkeypatch.setattr(views, "_resize", lambda area, size: resized.append(size) or np.zeros((*size, 3), np.uint8))
    cut(coordinates(40, 50), Input(height=14, width=14, channels=3), Geometry(shorter_side=16), pb.VIEWS_INCEPTION_144)
    assert len(resized) == 4 * 3


@pytest.mark.parametrize("choice", list(COUNTS))
def test_the_bytes_of_rows_are_known_before_they_are_cut(choice):
    model = Input(height=9, width=10, channels=3), Geometry(shorter_side=12, margin=2)
    assert bytes_of_rows(*model, choice, 0) == cut(coordinates(20, 30), *model, choice).nbytes
