"""JPEGs decoded at a fraction of their size: which, how near to the whole they stay, and that they stay upright."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from protos import classification_pb2 as pb
from protos.model_card_pb2 import Geometry, Input
from serving.pipeline.picture import Limits, decode, open_header
from serving.pipeline.reduction import reduce
from serving.pipeline.views import cut, enough, lay_out
from tests.serving.picture_files import file_of, noise
from tests.serving.pipeline.test_picture import STORED, oriented

# A temple and a flower, 640x427, with edges and texture enough.
PHOTOGRAPHS = [Image.fromarray(each) for each in load_sample_images().images]
IDS = ["temple", "flower"]


def opened(picture, format="JPEG", **options):
    return open_header(file_of(picture, format, **options), Limits())


def decoded_for(shorter_side: int, image: Image.Image):
    """The picture as it is decoded for canvases of `shorter_side`, and where it lies in it."""
    part = reduce(image, 2 * shorter_side)
    return decode(image), part


def colour_input(side: int) -> tuple[Input, Geometry]:
    return Input(height=side, width=side, channels=3), Geometry(shorter_side=side)


@pytest.mark.parametrize(
    ("size", "shorter_side", "decoded"),
    [
        ((4000, 3000), 256, (1000, 750)),
        ((3000, 4000), 256, (750, 1000)),
        ((4000, 3000), 352, (1000, 750)),
        ((4000, 3000), 376, (2000, 1500)),  # a quarter would be 750 of 752
        ((4000, 3000), 750, (2000, 1500)),
        ((4000, 3000), 751, (4000, 3000)),
        ((4000, 3000), 28, (500, 375)),
        ((500, 375), 256, (500, 375)),
        ((1001, 801), 100, (251, 201)),
    ],
)
def test_a_jpeg_keeps_twice_the_pixels_a_side_that_its_canvas_needs(size, shorter_side, decoded):
    image = opened(Image.new("L", size))
    reduce(image, enough(*colour_input(shorter_side), pb.VIEWS_TEN))
    assert decode(image).size == decoded


@pytest.mark.parametrize("format", ["PNG", "WEBP", "BMP", "GIF"])
def test_other_formats_are_decoded_whole(format):
    picture, part = decoded_for(10, opened(Image.new("RGB", (400, 300)), format))
    assert (picture.size, part) == ((400, 300), None)


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"quality": 30}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_kind_of_jpeg_is_reduced(mode, options):
    picture, _ = decoded_for(50, opened(PHOTOGRAPHS[0].convert(mode), **options))
    assert picture.size == (160, 107)


@pytest.mark.parametrize("photograph", PHOTOGRAPHS, ids=IDS)
@pytest.mark.parametrize("side", [26, 28, 53, 100, 106])
@pytest.mark.parametrize("size", [(640, 427), (639, 425), (427, 640)])
def test_a_canvas_of_a_reduced_photograph_is_that_of_the_whole_to_about_a_grey_level(photograph, side, size):
    file, model = file_of(photograph.resize(size), "JPEG", quality=90), colour_input(side)
    whole = lay_out(decode(open_header(file, Limits())), *model).astype(int)
    picture, part = decoded_for(side, open_header(file, Limits()))
    assert picture.width < size[0]
    difference = np.abs(lay_out(picture, *model, part) - whole)
    assert difference.mean() < 1.2
    assert np.percentile(difference, 99) <= 8


@pytest.mark.parametrize("photograph", PHOTOGRAPHS, ids=IDS)
@pytest.mark.parametrize("views", [pb.VIEWS_TEN, pb.VIEWS_GRID, pb.VIEWS_INCEPTION_144])
def test_rows_of_a_reduced_photograph_are_those_of_the_whole_to_about_a_grey_level(photograph, views):
    file, (input, geometry) = file_of(photograph, "JPEG", quality=90), colour_input(56)
    whole = cut(decode(open_header(file, Limits())), input, geometry, views).astype(int)
    image = open_header(file, Limits())
    part = reduce(image, enough(input, geometry, views))
    picture = decode(image)
    assert picture.width < photograph.width
    assert np.abs(cut(picture, input, geometry, views, part) - whole).mean() < 1.2


@pytest.mark.parametrize("orientation", STORED)
def test_a_turned_jpeg_is_reduced_and_set_upright_at_the_very_place(orientation):
    """Of 633x425 pixels an eighth end early in their last ones: were these taken for whole, all would be shifted."""
    upright, model = np.asarray(PHOTOGRAPHS[0].resize((633, 425))), colour_input(26)
    stored = np.ascontiguousarray(STORED[orientation](upright))
    file = file_of(stored, "JPEG", quality=95, exif=oriented(orientation))
    whole = lay_out(decode(open_header(file, Limits())), *model).astype(int)
    picture, part = decoded_for(26, open_header(file, Limits()))
    assert picture.size == (80, 54)
    assert np.abs(lay_out(picture, *model, part) - whole).mean() < 1.2
    assert np.abs(lay_out(picture, *model) - whole).mean() > 2


@pytest.mark.parametrize("shape", [(1001, 803), (803, 1001), (990, 1600)])
def test_a_canvas_is_as_large_as_that_of_the_whole_picture(shape):
    file = file_of(noise(*shape), "JPEG")
    for side in (33, 47, 50):
        whole = lay_out(decode(open_header(file, Limits())), *colour_input(side))
        picture, part = decoded_for(side, open_header(file, Limits()))
        assert lay_out(picture, *colour_input(side), part).shape == whole.shape


@pytest.mark.parametrize("choice", [pb.VIEWS_TEN, pb.VIEWS_GRID, pb.VIEWS_INCEPTION_144, pb.VIEWS_DENSE])
def test_enough_is_twice_the_largest_canvas(choice):
    model = Input(height=224, width=224, channels=3), Geometry(shorter_side=256)
    largest = {pb.VIEWS_GRID: 288, pb.VIEWS_INCEPTION_144: 352}.get(choice, 256)
    assert enough(*model, choice) == 2 * largest
