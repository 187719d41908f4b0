"""From one picture to what training sees of it this time: in TensorFlow's operations, each picture for itself."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.pipeline.picture import Limits, decode, open_header
from training.augmentation.crops import area_window, jittered_window, resized
from training.augmentation.seeds import Seed
from training.recipes.recipe import Recipe

# EXIF's tag 0x0112, "orientation", a short: little-endian, then big-endian (Exif 2.32, section 4.6.4).
_TAG = r"(?:\x12\x01\x03\x00\x01\x00\x00\x00|\x01\x12\x00\x03\x00\x00\x00\x01\x00)"
_ORIENTATION = rf"(?s)\C*Exif\x00\x00\C*{_TAG}([\x01-\x08])\C*"
# It stands in the first of the tags, which stand at the beginning of the file.
_HEAD = 512


def cutter(recipe: Recipe, channels: int) -> Callable[[tf.Tensor, Seed], tf.Tensor]:
    """A function that cuts a picture as `recipe` says, all but what `batches.augment` does later.

    It takes a picture (a file's bytes, or uint8 [height, width, channels]) and a seed, and gives uint8
    [side, side, channels]: of crops that are shifted the canvas, of others the crop. It fails where the
    bytes are broken. A JPEG is decoded within the crop only, and turned upright as serving does it.
    """
    side = recipe.shorter_side if recipe.crop == "shift" else recipe.input_side

    def cut(picture: tf.Tensor, seed: Seed) -> tf.Tensor:
        if picture.dtype == tf.string:
            square = tf.cond(
                tf.io.is_jpeg(picture),
                lambda: _from_jpeg(picture, recipe, channels, seed),
                lambda: _from_picture(_decoded(picture, channels), recipe, seed),
            )
        else:
            square = _from_picture(picture, recipe, seed)
        margin = recipe.margin
        square = tf.pad(square, ((margin, margin), (margin, margin), (0, 0))) if margin else square
        return tf.ensure_shape(square, (side + 2 * margin, side + 2 * margin, channels))

    return cut


def _from_jpeg(contents: tf.Tensor, recipe: Recipe, channels: int, seed: Seed) -> tf.Tensor:
    height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(contents))
    window, side = _window(height, width, recipe, seed)
    # The transform that Pillow uses too.
    crop = tf.io.decode_and_crop_jpeg(contents, window, channels=channels, dct_method="INTEGER_ACCURATE")
    # Windows lie upright as often as across, so that a crop may be turned in their stead.
    return _upright(resized(crop, side), contents)


def _from_picture(picture: tf.Tensor, recipe: Recipe, seed: Seed) -> tf.Tensor:
    height, width, _ = tf.unstack(tf.shape(picture))
    window, side = _window(height, width, recipe, seed)
    top, left, high, wide = tf.unstack(window)
    return resized(picture[top : top + high, left : left + wide], side)


def _window(height: tf.Tensor, width: tf.Tensor, recipe: Recipe, seed: Seed) -> tuple[tf.Tensor, int]:
    """Where to cut, int32 [4], and the side that it is then resized to."""
    if recipe.crop == "area":
        return area_window(height, width, seed), recipe.input_side
    if recipe.crop == "anywhere":
        scales = recipe.scale_jitter or (recipe.shorter_side, recipe.shorter_side)
        return jittered_window(height, width, recipe.input_side, scales, seed), recipe.input_side
    edge = tf.minimum(height, width)
    return tf.stack([(height - edge) // 2, (width - edge) // 2, edge, edge]), recipe.shorter_side


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
    """[side, side, channels] of a JPEG, turned by its EXIF orientation."""
    found = tf.strings.regex_replace(tf.strings.substr(contents, 0, _HEAD), _ORIENTATION, r"\1")
    turns = [
        lambda: square,
        lambda: square[:, ::-1],
        lambda: square[::-1, ::-1],
        lambda: square[::-1],
        lambda: tf.transpose(square, (1, 0, 2)),
        lambda: tf.transpose(square, (1, 0, 2))[:, ::-1],
        lambda: tf.transpose(square, (1, 0, 2))[::-1, ::-1],
        lambda: tf.transpose(square, (1, 0, 2))[::-1],
    ]
    orientation = tf.cond(
        tf.strings.length(found) == 1,
        lambda: tf.cast(tf.io.decode_raw(found, tf.uint8)[0], tf.int32),
        lambda: tf.constant(1),
    )
    return tf.switch_case(orientation - 1, turns)
