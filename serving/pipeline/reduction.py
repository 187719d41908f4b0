"""A JPEG decoded at a fraction of its size where its views are much smaller: most of the time of a large picture.

A JPEG is stored as blocks of 8x8 frequencies, of which a decoder can leave out the high ones: it then gives a half, a
quarter or an eighth of the pixels a side, in a fraction of the time and memory.
"""

from PIL import Image

from serving.pipeline.picture import orientation_of

Part = tuple[float, float, float, float]
"""Of a picture: left, top, right and bottom, in pixels and parts of them."""

# The edges at which, of a picture stored and then turned upright by its EXIF orientation, the stored right edge and
# bottom edge come to lie (Exif 2.32, section 4.6.4).
_EDGES: dict[object, tuple[str, str]] = {
    2: ("left", "bottom"),
    3: ("left", "top"),
    4: ("right", "top"),
    5: ("bottom", "right"),
    6: ("bottom", "left"),
    7: ("top", "left"),
    8: ("top", "right"),
}


def reduce(image: Image.Image, side: int) -> Part | None:
    """Has `image`, whose header was read, decoded at a half, a quarter or an eighth of its size where it is a JPEG, as
    far as its shorter side keeps `side` pixels.

    Returns where the picture lies in what picture.decode gives then; None where it fills all of it. Of 1,001 pixels an
    eighth are 125.125, and so the picture ends inside the 126th.
    """
    stored = image.size
    drafted = image.draft(None, (side, side))
    if drafted is None or image.size == stored:
        return None
    _, (_, _, width, height) = drafted
    edges = _EDGES.get(orientation_of(image), ("right", "bottom"))
    beyond = dict(zip(edges, (image.width - width, image.height - height), strict=True))
    wide, high = image.size if edges[0] in ("left", "right") else image.size[::-1]
    left, top = beyond.get("left", 0.0), beyond.get("top", 0.0)
    return left, top, wide - beyond.get("right", 0.0), high - beyond.get("bottom", 0.0)
