"""From one picture to what training sees of it this time: in TensorFlow's operations, each picture for itself."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.pipeline.picture import Limits, decode, open_header
from training.augmentation.colour import Colours, pca_colour
from training.augmentation.crops import area_window, jittered_window
from training.augmentation.seeds import Seed, split
from training.recipes.recipe import Recipe

# EXIF's tag 0x0112, "orientation", a short: little-endian, then big-endian (Exif 2.32, section 4.6.4).
_TAG = r"(?:\x12\x01\x03\x00\x01\x00\x00\x00|\x01\x12\x00\x03\x00\x00\x00\x01\x00)"
_ORIENTATION = rf"(?s)\C*Exif\x00\x00\C*{_TAG}([\x01-\x08])\C*"
# The tags stand at the beginning of the file, or after what JFIF has there; this one among the first of them.
_EXIF_AT = (6, 24)
_HEAD = 512


def gives_canvases(recipe: Recipe) -> bool:
    """Whether `batches.augment` has to go on with what a cutter gives, because crops may reach beyond the picture."""
    return recipe.crop == "shift" and (recipe.warps or recipe.margin > 0)


def cutter(recipe: Recipe, channels: int, colours: Colours | None = None) -> Callable[[tf.Tensor, Seed], tf.Tensor]:
    """A function that makes of a picture and a seed what training sees of it: uint8 [side, side, channels].

    The picture is a file's bytes, or uint8 [height, width, channels]. Crops are mirrored, and shifted in colour
    where there are `colours`; canvases are left as they are. It fails where the bytes are broken. A JPEG is decoded
    within the crop only, and turned upright as serving does it.
    """
    finished = not gives_canvases(recipe)
    side = recipe.input_side if finished else recipe.canvas_side

    def cut(picture: tf.Tensor, seed: Seed) -> tf.Tensor:
        where, exchange, shade = split(seed, 3)
        if picture.dtype == tf.string:
            square = tf.cond(
                tf.io.is_jpeg(picture),
                lambda: _upright(_from_jpeg(picture, recipe, channels, where), picture),
                lambda: _from_picture(_decoded(picture, channels), recipe, where),
            )
        else:
            square = _from_picture(picture, recipe, where)
        square = tf.ensure_shape(square, (side, side, channels))
        if colours is not None and finished:
            square = _shaded(square, colours, recipe.colour, shade)
        square = tf.cast(square + 0.5, tf.uint8)
        return _mirrored(square, exchange) if recipe.mirror and finished else square

    return cut


def _from_jpeg(contents: tf.Tensor, recipe: Recipe, channels: int, seed: Seed) -> tf.Tensor:
    height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(contents))
    window, size = _window(height, width, recipe, seed)
    # The transform that Pillow uses too.
    crop = tf.io.decode_and_crop_jpeg(contents, window, channels=channels, dct_method="INTEGER_ACCURATE")
    return _within_margin(_resized(crop, size), recipe)


def _from_picture(picture: tf.Tensor, recipe: Recipe, seed: Seed) -> tf.Tensor:
    height, width, _ = tf.unstack(tf.shape(picture))
    window, size = _window(height, width, recipe, seed)
    top, left, high, wide = tf.unstack(window)
    crop = tf.slice(picture, (top, left, 0), (high, wide, -1))
    return _within_margin(_resized(crop, size), recipe)


def _window(height: tf.Tensor, width: tf.Tensor, recipe: Recipe, seed: Seed) -> tuple[tf.Tensor, tf.Tensor]:
    """Where to cut, int32 [4], and the height and width that it is then resized to."""
    side = recipe.input_side
    if recipe.crop == "area":
        return area_window(height, width, seed), tf.constant((side, side))
    if recipe.crop == "anywhere":
        scales = recipe.scale_jitter or (recipe.shorter_side, recipe.shorter_side)
        return jittered_window(height, width, side, scales, seed), tf.constant((side, side))
    shape = tf.stack((height, width))
    scale = recipe.shorter_side / tf.minimum(height, width)
    if gives_canvases(recipe):
        # Of the longer side so much as reaches to the ends of the canvas.
        size = tf.minimum(_whole(tf.cast(shape, tf.float64) * scale), recipe.canvas_side)
        shift = tf.zeros((2,), tf.int32)
    else:
        size = tf.constant((side, side))
        shift = tf.random.stateless_uniform((2,), seed, -recipe.translate, recipe.translate + 1, tf.int32)
    cut = tf.minimum(_whole(tf.cast(size, tf.float64) / scale), shape)
    start = tf.cast(shape - cut, tf.float64) / 2 + tf.cast(shift, tf.float64) / scale
    return tf.concat([tf.clip_by_value(tf.cast(tf.floor(start), tf.int32), 0, shape - cut), cut], axis=0), size


def _resized(picture: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """uint8 [height, width, channels] -> float32 of that `size`, averaged over where it shrinks."""
    return tf.cond(
        tf.reduce_any(tf.shape(picture)[:2] > size),
        lambda: tf.image.resize(picture, size, antialias=True),
        # Where it only grows the same comes out, in half the time.
        lambda: tf.image.resize(picture, size),
    )


def _within_margin(picture: tf.Tensor, recipe: Recipe) -> tf.Tensor:
    """With black around it where it does not reach to the ends of the canvas."""
    if not recipe.margin:
        return picture
    room = recipe.canvas_side - tf.shape(picture)[:2]
    before = (room + 1) // 2
    return tf.pad(picture, tf.stack([(before[0], room[0] - before[0]), (before[1], room[1] - before[1]), (0, 0)]))


def _whole(pixels: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.round(pixels), tf.int32)


def _shaded(square: tf.Tensor, colours: Colours, deviation: float, seed: Seed) -> tf.Tensor:
    """RGB from 0 to 255, shifted in colour."""
    black = tf.zeros((1, 1, 1, 3))
    levels = 255 * pca_colour(black, colours, deviation, seed)[0, 0, 0]
    # As rows: what is added to three values at a time is added slowly.
    rows = tf.reshape(square, (square.shape[0], -1)) + tf.tile(levels, [square.shape[1]])
    return tf.reshape(tf.clip_by_value(rows, 0, 255), square.shape)


def _mirrored(square: tf.Tensor, seed: Seed) -> tf.Tensor:
    """Every other one, by chance."""
    exchanged = tf.random.stateless_uniform((), seed) < 0.5
    return tf.cond(exchanged, lambda: tf.reverse(square, [1]), lambda: square)


def _decoded(contents: tf.Tensor, channels: int) -> tf.Tensor:
    """Any picture but a JPEG, by serving's own decoder: uint8 [height, width, channels]."""

    def decoded(contents: bytes | NDArray) -> NDArray[np.uint8]:
        # Bytes come in a graph, and an array of none outside.
        contents = np.asarray(contents, object).item()
        image = decode(open_header(contents, Limits())).convert("L" if channels == 1 else "RGB")
        return np.asarray(image).reshape(image.height, image.width, channels)

    picture = tf.numpy_function(decoded, [contents], tf.uint8, stateful=False)
    return tf.ensure_shape(picture, (None, None, channels))


def _upright(square: tf.Tensor, contents: tf.Tensor) -> tf.Tensor:
    """[side, side, channels] of a JPEG, turned by its EXIF orientation.

    Windows lie upright as often as across, so that what was cut from one may be turned instead of the picture.
    """
    exif = [tf.strings.substr(contents, place, 4) == "Exif" for place in _EXIF_AT]
    return tf.cond(exif[0] | exif[1], lambda: _turned(square, contents), lambda: square)


def _turned(square: tf.Tensor, contents: tf.Tensor) -> tf.Tensor:
    found = tf.strings.regex_replace(tf.strings.substr(contents, 0, _HEAD), _ORIENTATION, r"\1")
    number = tf.cond(
        tf.strings.length(found) == 1, lambda: tf.io.decode_raw(found, tf.uint8)[0], lambda: tf.constant(1, tf.uint8)
    )
    across = tf.cond(number >= 5, lambda: tf.transpose(square, (1, 0, 2)), lambda: square)
    # By number, from 1: what is then reversed, of rows and columns.
    down = tf.gather([False, False, True, True, False, False, True, True], tf.cast(number, tf.int32) - 1)
    left = tf.gather([False, True, True, False, False, True, True, False], tf.cast(number, tf.int32) - 1)
    return tf.raw_ops.Reverse(tensor=across, dims=tf.stack([down, left, False]))
