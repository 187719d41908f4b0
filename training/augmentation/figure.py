"""Draws docs/augmentation.png: pictures beside what training makes of them.

    python -m training.augmentation.figure

Each row is an original and eight draws. The pictures come with scikit-learn.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits, load_sample_image

from training.augmentation.affine import LECTURE, warp
from training.augmentation.colour import IMAGENET, pca_colour
from training.augmentation.crops import area_crop, jittered_crop, mirrored
from training.augmentation.seeds import split

PATH = Path(__file__).parents[2] / "docs" / "augmentation.png"

SIDE, DRAWS = 96, 8
_GAP, _ASIDE, _TITLE, _EDGE = 4, 182, 34, 14
_STEP = SIDE + _GAP
_INK, _FAINT, _PAPER = (34, 34, 40), (110, 110, 120), (255, 255, 255)

Tiles = list[NDArray[np.uint8]]


def main() -> None:
    """Writes the picture, and says where."""
    PATH.parent.mkdir(exist_ok=True)
    # 256 colours look the same here and take less than half the space.
    draw().quantize(256).save(PATH, optimize=True)
    print(PATH)


def draw() -> Image.Image:
    """The whole sheet; the same on every call."""
    rows = list(_rows())
    size = (_ASIDE + (1 + DRAWS) * _STEP + _GAP + 2 * _EDGE, _TITLE + len(rows) * _STEP + 2 * _EDGE)
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    bold, plain = ImageFont.load_default(15), ImageFont.load_default(12)
    first, second = _EDGE + _ASIDE, _EDGE + _ASIDE + _STEP + _GAP
    for left, title in ((first, "original"), (second, "eight draws")):
        pen.text((left, _EDGE), title, _FAINT, bold)
    for number, (name, about, original, draws) in enumerate(rows):
        top = _EDGE + _TITLE + number * _STEP
        pen.text((_EDGE, top + 14), name, _INK, bold)
        pen.multiline_text((_EDGE, top + 36), about, _FAINT, plain, spacing=3)
        for left, tile in zip([first, *range(second, size[0], _STEP)], [original, *draws], strict=False):
            sheet.paste(Image.fromarray(tile.squeeze()), (left, top))
    return sheet


def _rows() -> Iterator[tuple[str, str, NDArray[np.uint8], Tiles]]:
    """(name, what it is, original, draws), top to bottom."""
    six_at_once = "rotation, shift, zoom, mirror,\nshear and stretch in one warp"
    china, flower = _photograph("china.jpg"), _photograph("flower.jpg")
    for number, (about, canvas, fill) in enumerate(
        [
            (six_at_once, _digit(3), "constant"),
            (six_at_once, _digit(4), "constant"),
            ("black beyond the edge", china, "constant"),
            ("mirrored beyond the edge", flower, "reflect"),
        ]
    ):
        views = warp(np.stack([canvas] * DRAWS), SIDE, LECTURE, (number, 0), fill)
        yield "The lecture's six", about, _centre(canvas), list(views.numpy())
    for name, about, picture, crop in (
        ("Scale jitter", "VGG, ResNet: shorter side at\nrandom, then a crop; mirror", china, _jittered),
        ("Area and aspect", "GoogLeNet: 8 to 100 % of the\narea, aspect 3/4 to 4/3; mirror", flower, _area),
    ):
        yield name, about, _centre(picture), _each(crop, picture)
    for name, about, picture, deviation in (
        ("PCA colour", "AlexNet: deviation 0.1", china, 0.1),
        ("PCA colour", "five times as strong", flower, 0.5),
    ):
        original = _centre(picture)
        shifted = pca_colour(np.stack([original] * DRAWS), IMAGENET, deviation, (0, 0))
        yield name, about, original, list(shifted.numpy())


def _jittered(picture: NDArray[np.uint8], seed: tf.Tensor) -> tf.Tensor:
    # As 224 of 256 to 512.
    return jittered_crop(picture, SIDE, (SIDE * 256 // 224, SIDE * 512 // 224), seed)


def _area(picture: NDArray[np.uint8], seed: tf.Tensor) -> tf.Tensor:
    return area_crop(picture, SIDE, seed)


def _each(crop: Callable[[NDArray[np.uint8], tf.Tensor], tf.Tensor], picture: NDArray[np.uint8]) -> Tiles:
    seeds = [split((number, 0), 2) for number in range(DRAWS)]
    return [mirrored(crop(picture, one), other).numpy() for one, other in seeds]


def _digit(which: int) -> NDArray[np.uint8]:
    """uint8 [SIDE, SIDE, 1], with a margin."""
    digit = Image.fromarray((load_digits().images[which] * 255 / 16).astype(np.uint8))
    inner = SIDE * 2 // 3
    enlarged = np.asarray(digit.resize((inner, inner), Image.Resampling.BICUBIC))
    before = (SIDE - inner) // 2
    return np.pad(enlarged, (before, SIDE - inner - before))[..., None]


def _photograph(name: str) -> NDArray[np.uint8]:
    """uint8 [height, width, 3], half as large again as a tile."""
    photograph = Image.fromarray(load_sample_image(name))
    scale = 1.5 * SIDE / min(photograph.size)
    return np.asarray(photograph.resize([round(scale * side) for side in photograph.size], Image.Resampling.LANCZOS))


def _centre(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (picture.shape[0] - SIDE) // 2, (picture.shape[1] - SIDE) // 2
    return picture[top : top + SIDE, left : left + SIDE]


if __name__ == "__main__":
    main()
