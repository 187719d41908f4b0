"""From a picture to the views that vote: pure geometry, pinned to the papers by tests.

One resize a canvas; crops are slices of it.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import Geometry, Input
from serving.pipeline.plans import CROPS, DENSE, OWN, Canvas, View
from serving.pipeline.reduction import Part

# A pixel that is averaged over this many each way hardly depends on how those came about: what Pillow's own thumbnails
# keep (Image.thumbnail, reducing_gap).
_ENOUGH = 2


def cut(
    picture: Image.Image, input: Input, geometry: Geometry, views: pb.Views, part: Part | None = None
) -> NDArray[np.uint8]:
    """The rows that a network sees of `picture`, an upright 8-bit grey or RGB image, or of a `part` of it.

    Returns uint8 [views, input.height, input.width, input.channels], in the order of CROPS.
    """
    plan = CROPS[views]
    canvases = {
        canvas: lay_out(picture, input, geometry_of(canvas, input, geometry), part)
        for canvas in dict.fromkeys(view.canvas for view in plan)
    }
    rows = np.empty((len(plan), input.height, input.width, input.channels), np.uint8)
    seen: dict[View, NDArray[np.uint8]] = {}  # each once, for the view and its mirror image
    for row, view in zip(rows, plan, strict=True):
        plain = view._replace(mirrored=False)
        if plain not in seen:
            seen[plain] = _look(canvases[view.canvas], plain, input)
        row[...] = seen[plain][:, ::-1] if view.mirrored else seen[plain]
    return rows


def enough(input: Input, geometry: Geometry, views: pb.Views) -> int:
    """Pixels that a picture's shorter side needs, for no canvas to show that it once had more."""
    canvases = [OWN] if views == pb.VIEWS_DENSE else {view.canvas for view in CROPS[views]}
    return _ENOUGH * max(geometry_of(canvas, input, geometry).shorter_side for canvas in canvases)


def bytes_of_rows(input: Input, geometry: Geometry, views: pb.Views, boxes: int) -> int:
    """Of all rows that a network sees for `views`, or for so many boxes. Of canvases, as if the picture were square."""
    if views == pb.VIEWS_DENSE:
        return len(DENSE) * (geometry.shorter_side + 2 * geometry.margin) ** 2 * input.channels
    return (boxes or len(CROPS[views])) * input.height * input.width * input.channels


def geometry_of(canvas: Canvas, input: Input, geometry: Geometry) -> Geometry:
    """How `canvas` is laid out, for a network whose own canvas is laid out by `geometry`: at least as large as its
    input. Black margins belong to canvases of the card's size.
    """
    if canvas == OWN:
        return geometry
    margin = geometry.margin if canvas.base == "card" else 0
    longer_side = max(input.height, input.width)
    base = geometry.shorter_side if canvas.base == "card" else longer_side
    shorter_side = max(base + round(canvas.sevenths * longer_side / 7), longer_side - 2 * margin, 1)
    return Geometry(shorter_side=shorter_side, margin=margin)


def lay_out(picture: Image.Image, input: Input, geometry: Geometry, part: Part | None = None) -> NDArray[np.uint8]:
    """The canvas that crops are cut from, of all of `picture` or of a `part` of it: uint8 [height, width,
    input.channels].

    Colours as the input wants them, shorter side resized to `geometry.shorter_side` (bilinear,
    averaged over the area where it shrinks), then `geometry.margin` black pixels around.
    """
    mode = "L" if input.channels == 1 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    left, top, right, bottom = part or (0, 0, *picture.size)
    size = _resized((right - left, bottom - top), geometry.shorter_side)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.BILINEAR, part)
    margin = geometry.margin
    canvas = np.zeros((size[1] + 2 * margin, size[0] + 2 * margin, input.channels), np.uint8)
    canvas[margin : margin + size[1], margin : margin + size[0]] = np.asarray(picture).reshape(size[1], size[0], -1)
    return canvas


def _resized(size: tuple[float, float], shorter_side: int) -> tuple[int, int]:
    scale = shorter_side / min(size)
    return max(shorter_side, round(size[0] * scale)), max(shorter_side, round(size[1] * scale))


def _look(canvas: NDArray[np.uint8], view: View, input: Input) -> NDArray[np.uint8]:
    """What `view`, not mirrored, shows: uint8 [input.height, input.width, channels]."""
    area = canvas
    if view.square is not None:
        side = min(canvas.shape[:2])
        area = _crop(canvas, (side, side), view.square, view.square)
    size = input.height, input.width
    return _resize(area, size) if view.whole else _crop(area, size, view.top, view.left)


def _crop(area: NDArray[np.uint8], size: tuple[int, int], top: float, left: float) -> NDArray[np.uint8]:
    """The part of `size` (height, width) that leaves of the room above it and left of it such fractions."""
    first_row = round((area.shape[0] - size[0]) * top)
    first_column = round((area.shape[1] - size[1]) * left)
    return area[first_row : first_row + size[0], first_column : first_column + size[1]]


def _resize(area: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """All of `area`, uint8 [height, width, channels], in `size` (height, width)."""
    image = Image.fromarray(area[..., 0] if area.shape[2] == 1 else area)
    resized = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(resized).reshape(*size, area.shape[2])
