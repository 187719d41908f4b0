"""From a picture to the views that vote: pure geometry, pinned to the papers by tests.

A view is an input that is voted over; a crop is its geometry. One resize a picture;
crops are slices of the resized canvas.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import Geometry, Input


class View(NamedTuple):
    """One crop: where it lies on the canvas, as fractions of the room that the canvas leaves, and whether mirrored."""

    top: float
    left: float
    mirrored: bool

    @property
    def name(self) -> str:
        """As answers and tables call it: "centre", "top left mirrored"."""
        place = _PLACE_NAMES[self.top, self.left]
        return f"{place} mirrored" if self.mirrored else place


_PLACE_NAMES = {
    (0.5, 0.5): "centre",
    (0.0, 0.0): "top left",
    (0.0, 1.0): "top right",
    (1.0, 0.0): "bottom left",
    (1.0, 1.0): "bottom right",
}
_CENTRE = View(0.5, 0.5, False)
_FIVE = tuple(View(top, left, False) for top, left in _PLACE_NAMES)

# Krizhevsky, Sutskever and Hinton 2012, section 4.1: "five 224x224 patches (the four
# corner patches and the center patch) as well as their horizontal reflections".
PLANS: dict[int, tuple[View, ...]] = {
    pb.VIEWS_SINGLE: (_CENTRE,),
    pb.VIEWS_MIRROR: (_CENTRE, _CENTRE._replace(mirrored=True)),
    pb.VIEWS_FIVE: _FIVE,
    pb.VIEWS_TEN: _FIVE + tuple(view._replace(mirrored=True) for view in _FIVE),
}


def cut(picture: Image.Image, input: Input, geometry: Geometry, views: pb.Views) -> NDArray[np.uint8]:
    """The rows that a network sees of `picture`, an upright 8-bit grey or RGB image.

    Returns uint8 [views, input.height, input.width, input.channels], in the order of PLANS.
    """
    canvas = lay_out(picture, input, geometry)
    plan = PLANS[views]
    rows = np.empty((len(plan), input.height, input.width, input.channels), np.uint8)
    for row, view in zip(rows, plan, strict=True):
        row[...] = _crop(canvas, view, input)
    return rows


def lay_out(picture: Image.Image, input: Input, geometry: Geometry) -> NDArray[np.uint8]:
    """The canvas that crops are cut from: uint8 [height, width, input.channels].

    Colours as the input wants them, shorter side resized to `geometry.shorter_side` (bilinear,
    averaged over the area where it shrinks), then `geometry.margin` black pixels around.
    """
    mode = "L" if input.channels == 1 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    size = _resized(picture.size, geometry.shorter_side)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    margin = geometry.margin
    canvas = np.zeros((size[1] + 2 * margin, size[0] + 2 * margin, input.channels), np.uint8)
    canvas[margin : margin + size[1], margin : margin + size[0]] = np.asarray(picture).reshape(size[1], size[0], -1)
    return canvas


def _resized(size: tuple[int, int], shorter_side: int) -> tuple[int, int]:
    scale = shorter_side / min(size)
    return max(shorter_side, round(size[0] * scale)), max(shorter_side, round(size[1] * scale))


def _crop(canvas: NDArray[np.uint8], view: View, input: Input) -> NDArray[np.uint8]:
    top = round((canvas.shape[0] - input.height) * view.top)
    left = round((canvas.shape[1] - input.width) * view.left)
    crop = canvas[top : top + input.height, left : left + input.width]
    return crop[:, ::-1] if view.mirrored else crop
