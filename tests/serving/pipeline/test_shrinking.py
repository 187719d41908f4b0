"""JPEGs decoded at a fraction of their size: when, how near that is to all of them, and that they stay upright."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from protos import classification_pb2 as pb
from protos.model_card_pb2 import Geometry, Input
from serving.pipeline import picture, views
from tests.serving.picture_files import file_of

# Without the last rows of their 427, which no factor divides.
PHOTOS = [Image.fromarray(samples).crop((0, 0, 640, 424)) for samples in load_sample_images().images]
ORIENTATION = 0x0112


def shrunk(encoded: bytes, side: int) -> Image.Image:
    image = picture.open_header(encoded, picture.Limits())
    picture.shrink(image, side)
    return picture.decode(image)


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ((640, 424), 53, (80, 53)),
        ((640, 424), 54, (160, 106)),
        ((640, 424), 212, (320, 212)),
        ((640, 424), 213, (640, 424)),
        ((640, 424), 1000, (640, 424)),
        ((640, 420), 50, (160, 105)),  # 8 does not divide 420
        ((640, 427), 50, (640, 427)),
        ((424, 640), 53, (53, 80)),
    ],
)
def test_a_jpeg_is_decoded_as_small_as_keeps_enough_and_divides_its_sides(size, side, expected):
    assert shrunk(file_of(Image.new("RGB", size), "JPEG"), side).size == expected


@pytest.mark.parametrize("format", ["PNG", "WEBP", "BMP", "GIF"])
def test_other_files_are_decoded_in_full(format):
    assert shrunk(file_of(Image.new("RGB", (640, 424)), format), 10).size == (640, 424)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
@pytest.mark.parametrize("side", [106, 53, 26])
@pytest.mark.parametrize("photo", PHOTOS, ids=["china", "flower"])
def test_views_of_a_shrunk_photograph_are_near_those_of_all_of_it(photo, side, progressive, subsampling):
    encoded = file_of(photo, "JPEG", quality=90, progressive=progressive, subsampling=subsampling)
    model = Input(height=side, width=side, channels=3), Geometry(shorter_side=side)
    small = shrunk(encoded, views.enough(*model, pb.VIEWS_TEN))
    assert small.width < photo.width
    whole = picture.decode(picture.open_header(encoded, picture.Limits()))
    both = [views.cut(image, *model, pb.VIEWS_TEN).astype(int) for image in (small, whole)]
    error = np.abs(both[0] - both[1])
    assert error.mean() < 1.25
    assert np.percentile(error, 99) <= 7
    assert error.max() <= 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_shrunk_photograph_is_as_upright_as_all_of_it(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    encoded = file_of(PHOTOS[0], "JPEG", exif=exif)
    small = shrunk(encoded, 53)
    whole = picture.decode(picture.open_header(encoded, picture.Limits())).resize(small.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(small).astype(int) - np.asarray(whole)).mean() < 3


@pytest.mark.parametrize("choice", [pb.VIEWS_TEN, pb.VIEWS_GRID, pb.VIEWS_INCEPTION_144, pb.VIEWS_DENSE])
def test_enough_is_twice_the_largest_canvas(choice):
    model = Input(height=224, width=224, channels=3), Geometry(shorter_side=256)
    largest = {pb.VIEWS_GRID: 288, pb.VIEWS_INCEPTION_144: 352}.get(choice, 256)
    assert views.enough(*model, choice) == 2 * largest
