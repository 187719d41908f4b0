"""Random crops, of batches of canvases and of single pictures of any size.

Krizhevsky, Sutskever and Hinton 2012, section 4.1, "translations and horizontal reflections";
Simonyan and Zisserman 2015, section 3.1, "training image size"; Szegedy and others 2015, section 6.

Where to cut is drawn apart from the cutting, so that a JPEG file can be decoded in its window alone:

    window = jittered_window(height, width, 224, (256, 512), seed)
    crop = resized(tf.image.decode_and_crop_jpeg(contents, window, channels=3), 224)

Stateless: the same seed gives the same crops, in whatever order, thread or process.
"""

import math

import tensorflow as tf

from training.augmentation.seeds import Seed, split, whole

_TRIES = 10


def random_crops(canvases: tf.Tensor, side: int, translate: int, mirror: bool, seed: Seed) -> tf.Tensor:
    """One crop of each canvas, shifted from the centre by up to `translate` pixels each way,
    and mirrored with probability 1/2 if `mirror`.

    canvases: any dtype [N, height, width, channels]; side: of the crops, in pixels; seed:
    two integers. Returns the same dtype [N, side, side, channels]. Shifts are uniform over
    the (2 * translate + 1)^2 places and independent between pictures.

    Raises ValueError where the canvas has no room for the shift.
    """
    height, width = canvases.shape[1:3]
    top, left = round((height - side) / 2), round((width - side) / 2)
    if not 0 <= translate <= min(top, left, height - side - top, width - side - left):
        raise ValueError(
            f"A crop of {side}x{side} shifted by {translate} pixels stays on its canvas; the canvas has "
            f"{height}x{width}. Widen the canvas, or shift by less."
        )
    pictures = tf.shape(canvases)[0]
    shift_seed, mirror_seed = split(seed, 2)
    shifts = tf.random.stateless_uniform((pictures, 2), shift_seed, -translate, translate + 1, tf.int32)
    steps = tf.range(side)
    rows = top + shifts[:, :1] + steps
    columns = left + shifts[:, 1:] + steps
    if mirror:
        mirrored = tf.random.stateless_uniform((pictures, 1), mirror_seed) < 0.5
        columns = tf.where(mirrored, columns[:, ::-1], columns)
    crops = tf.gather(canvases, rows, axis=1, batch_dims=1)
    return tf.gather(crops, columns, axis=2, batch_dims=1)


def jittered_crop(picture: tf.Tensor, side: int, shorter_side: tuple[int, int], seed: Seed) -> tf.Tensor:
    """VGG's and ResNet's scale jitter: a crop anywhere in the picture enlarged or reduced at random.

    picture: uint8 or float [height, width, channels]; side, shorter_side: as in `jittered_window`.
    Returns the same dtype [side, side, channels].
    """
    height, width = _size(picture)
    return resized(_cut(picture, jittered_window(height, width, side, shorter_side, seed)), side)


def area_crop(
    picture: tf.Tensor,
    side: int,
    seed: Seed,
    area: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
) -> tf.Tensor:
    """GoogLeNet's crop: a random share of the picture, at a random aspect, resized to a square.

    picture: uint8 or float [height, width, channels]; area, aspect: as in `area_window`.
    Returns the same dtype [side, side, channels].
    """
    height, width = _size(picture)
    return resized(_cut(picture, area_window(height, width, seed, area, aspect)), side)


def mirrored(picture: tf.Tensor, seed: Seed) -> tf.Tensor:
    """The picture [height, width, channels], left and right exchanged with probability 1/2."""
    exchanged = tf.random.stateless_uniform((), whole(seed)) < 0.5
    return tf.where(exchanged, picture[:, ::-1], picture)


def jittered_window(
    height: int | tf.Tensor, width: int | tf.Tensor, side: int, shorter_side: tuple[int, int], seed: Seed
) -> tf.Tensor:
    """Where to cut so that, resized to `side`, it is a crop of the picture resized at random.

    shorter_side: (least, most) of the resized picture, whose shorter side is a whole number S, uniform
    between the two and both among them. The crop of side x side lies anywhere in it, uniformly: in the
    original, a square of side / S of the shorter side, to the nearest pixel.

    Returns int32 [4]: top, left, height, width. Raises ValueError where S may be less than `side`.
    """
    least, most = shorter_side
    if not 0 < side <= least <= most:
        raise ValueError(
            f"A crop lies inside its picture: its side is at most the least shorter side, and that at most the "
            f"greatest; side {side} and shorter sides {least} to {most} came. Give them in that order."
        )
    scale_seed, place_seed = split(seed, 2)
    scaled = tf.random.stateless_uniform((), scale_seed, least, most + 1, tf.int32)
    shortest = tf.minimum(height, width)
    edge = tf.cast(tf.round(side / scaled * tf.cast(shortest, tf.float64)), tf.int32)
    edge = tf.maximum(edge, 1)
    return _anywhere(height, width, edge, edge, place_seed)


def area_window(
    height: int | tf.Tensor,
    width: int | tf.Tensor,
    seed: Seed,
    area: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
) -> tf.Tensor:
    """Where to cut a random share of a picture at a random aspect.

    area: (least, most) share, uniform; aspect: (least, most) width by height, log-uniform. The first of
    ten such shapes that fits is put anywhere, uniformly. Where none fits, as in a picture much longer
    than high, it is the largest window of an allowed aspect, in the centre.

    Returns int32 [4]: top, left, height, width. Raises ValueError for ranges out of order.
    """
    if not (0 < area[0] <= area[1] <= 1 and 0 < aspect[0] <= aspect[1] < math.inf):
        raise ValueError(
            f"area is two shares of 1, aspect two numbers above 0, each the smaller first; {area} and {aspect} "
            "came. Give them so."
        )
    area_seed, aspect_seed, place_seed = split(seed, 3)
    high, wide = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    areas = tf.random.stateless_uniform((_TRIES,), area_seed, *area) * high * wide
    aspects = tf.exp(tf.random.stateless_uniform((_TRIES,), aspect_seed, *map(math.log, aspect)))
    heights, widths = _whole(tf.sqrt(areas / aspects)), _whole(tf.sqrt(areas * aspects))
    fits = (heights <= height) & (widths <= width)
    first = tf.argmax(fits)
    window = _anywhere(height, width, heights[first], widths[first], place_seed)
    least, most = aspect
    largest = _centre(height, width, _whole(tf.minimum(high, wide / least)), _whole(tf.minimum(wide, high * most)))
    return tf.where(tf.reduce_any(fits), window, largest)


def resized(picture: tf.Tensor, side: int) -> tf.Tensor:
    """The picture [height, width, channels] at side x side, bilinear, averaged over where it shrinks.
    The same dtype, uint8 rounded.
    """
    square = tf.image.resize(picture, (side, side), antialias=True)
    return tf.cast(tf.round(square) if picture.dtype.is_integer else square, picture.dtype)


def _cut(picture: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
    top, left, height, width = tf.unstack(window)
    return tf.convert_to_tensor(picture)[top : top + height, left : left + width]


def _anywhere(
    height: int | tf.Tensor, width: int | tf.Tensor, window_height: tf.Tensor, window_width: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """A window somewhere in the picture, every place as likely as any other."""
    room = tf.cast(tf.stack([height - window_height, width - window_width]), tf.float32)
    place = tf.cast(tf.floor(tf.random.stateless_uniform((2,), seed) * (room + 1)), tf.int32)
    return tf.stack([*tf.unstack(place), window_height, window_width])


def _centre(
    height: int | tf.Tensor, width: int | tf.Tensor, window_height: tf.Tensor, window_width: tf.Tensor
) -> tf.Tensor:
    return tf.stack([(height - window_height) // 2, (width - window_width) // 2, window_height, window_width])


def _whole(pixels: tf.Tensor) -> tf.Tensor:
    """To the nearest pixel, and at least one."""
    return tf.maximum(tf.cast(tf.round(pixels), tf.int32), 1)


def _size(picture: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    height, width, _ = tf.unstack(tf.shape(picture))
    return height, width
