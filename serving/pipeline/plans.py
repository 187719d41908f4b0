"""Which views vote: the papers' lists of crops, as data.

A view is an input that is voted over; a crop is its geometry. A crop lies on a canvas, the picture
resized to some shorter side, or in a square of it.
"""

from itertools import product
from typing import NamedTuple

from protos import classification_pb2 as pb


class Canvas(NamedTuple):
    """What crops are cut from: the picture with a shorter side of the card's, or of the input's, and some
    sevenths of the input's more. (Of an input of 224 pixels a seventh is 32, which is what the papers add.)
    """

    base: str
    """ "card" or "input"."""
    sevenths: int

    @property
    def name(self) -> str:
        """As views call it; nothing for the card's own."""
        if self.base == "input":
            return f"at {self.sevenths + 7}/7"
        return {-1: "smaller", 0: "", 1: "larger"}[self.sevenths]


OWN = Canvas("card", 0)
"""The card's own, which the network was measured on."""


class View(NamedTuple):
    """One crop: where it lies, as fractions of the room that is left, and whether it is mirrored."""

    top: float
    left: float
    mirrored: bool = False
    canvas: Canvas = OWN
    square: float | None = None
    """The crop lies in the square whose side is the canvas's shorter one, so far along the longer one, a fraction
    of its room; None for anywhere on the canvas."""
    whole: bool = False
    """The view is the whole square, resized, and no crop of it."""

    @property
    def name(self) -> str:
        """As answers and tables call it: "centre", "top left mirrored", "first square whole at 8/7"."""
        square = "" if self.square is None else _SQUARE_NAMES[self.square]
        place = "whole" if self.whole else _PLACE_NAMES.get((self.top, self.left)) or _percent(self.top, self.left)
        return " ".join(filter(None, (square, place, "mirrored" if self.mirrored else "", self.canvas.name)))


class WholeCanvas(NamedTuple):
    """All of the card's own canvas, for a network that takes pictures of any size."""

    mirrored: bool = False

    @property
    def name(self) -> str:
        """As answers call it."""
        return "whole canvas mirrored" if self.mirrored else "whole canvas"


def _percent(top: float, left: float) -> str:
    return f"{top:.0%} down {left:.0%} across"


def _with_mirror_images(views: tuple[View, ...]) -> tuple[View, ...]:
    """`views`, and then the mirror image of each."""
    return views + tuple(view._replace(mirrored=True) for view in views)


_PLACE_NAMES = {
    (0.5, 0.5): "centre",
    (0.0, 0.0): "top left",
    (0.0, 1.0): "top right",
    (1.0, 0.0): "bottom left",
    (1.0, 1.0): "bottom right",
}
_SQUARE_NAMES = {0.0: "first square", 0.5: "middle square", 1.0: "last square"}
_FIFTHS = (0.0, 0.25, 0.5, 0.75, 1.0)

# Simonyan and Zisserman 2014, section 4.2: test scales S - 32, S and S + 32 for a network trained at S.
_SCALES = tuple(Canvas("card", sevenths) for sevenths in (-1, 0, 1))

# Szegedy, Liu, Jia et al. 2014, section 7: "4 scales where the shorter dimension (height or width) is 256, 288,
# 320 and 352 respectively, take the left, center and right square of these resized images (in the case of portrait
# images, we take the top, center and bottom squares)"; of each the ten crops, all of it and its mirror image.
_LARGER = tuple(Canvas("input", sevenths) for sevenths in (1, 2, 3, 4))

_CENTRE = View(0.5, 0.5)
_FIVE = tuple(View(top, left) for top, left in _PLACE_NAMES)

CROPS: dict[int, tuple[View, ...]] = {
    pb.VIEWS_SINGLE: (_CENTRE,),
    pb.VIEWS_MIRROR: _with_mirror_images((_CENTRE,)),
    pb.VIEWS_FIVE: _FIVE,
    # Krizhevsky, Sutskever and Hinton 2012, section 4.1: "five 224x224 patches (the four
    # corner patches and the center patch) as well as their horizontal reflections".
    pb.VIEWS_TEN: _with_mirror_images(_FIVE),
    pb.VIEWS_MULTI_SCALE: _with_mirror_images(tuple(_CENTRE._replace(canvas=canvas) for canvas in _SCALES)),
    # Simonyan and Zisserman 2014, section 3.2: "50 crops per scale (5x5 regular grid with 2 flips), for a total of
    # 150 crops over 3 scales".
    pb.VIEWS_GRID: _with_mirror_images(
        tuple(View(top, left, canvas=canvas) for canvas, top, left in product(_SCALES, _FIFTHS, _FIFTHS))
    ),
    pb.VIEWS_INCEPTION_144: _with_mirror_images(
        tuple(
            view._replace(canvas=canvas, square=square)
            for canvas, square in product(_LARGER, _SQUARE_NAMES)
            for view in (*_FIVE, _CENTRE._replace(whole=True))
        )
    ),
}

# Simonyan and Zisserman 2014, section 3.2: "we also augment the test set by horizontal flipping of the images; the
# soft-max class posteriors of the original and flipped images are averaged".
DENSE = (WholeCanvas(), WholeCanvas(mirrored=True))

PLANS: dict[int, tuple[View, ...] | tuple[WholeCanvas, ...]] = {**CROPS, pb.VIEWS_DENSE: DENSE}
"""Every choice of views that is a list of its own. Those of VIEWS_BOXES come with the request."""
CHOICES = (*PLANS, pb.VIEWS_BOXES)


def views_label(views: pb.Views) -> str:
    """As metrics call them: how many crops; the name of other choices, for boxes may be of any number."""
    return str(len(CROPS[views])) if views in CROPS else pb.Views.Name(views).removeprefix("VIEWS_").lower()


def view_names(views: pb.Views, boxes: int) -> tuple[str, ...]:
    """What the views of a request are called that lists so many boxes."""
    if views == pb.VIEWS_BOXES:
        return tuple(f"box {number}" for number in range(1, boxes + 1))
    return tuple(view.name for view in PLANS[views])


OF_THE_TEN = (pb.VIEWS_SINGLE, pb.VIEWS_MIRROR, pb.VIEWS_FIVE, pb.VIEWS_TEN)
"""Choices whose views are all among the ten."""
