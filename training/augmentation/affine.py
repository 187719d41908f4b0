"""The lecture's six transformations as one affine warp: Dieleman, van den Oord and others, "Classifying
plankton with deep neural networks", 2015, section "Data augmentation".

Rotation, translation, zoom, mirror, shear and stretch are multiplied into one matrix a picture, and each
picture is interpolated once.

Stateless: the same seed gives the same draws, in whatever order, thread or process.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import keras
import tensorflow as tf

from training.augmentation.seeds import Seed, whole

Size = tuple[int | tf.Tensor, int | tf.Tensor]
"""Height and width in pixels."""

# The operation's fourth mode, "wrap", is left out: it does not interpolate across the seam, and repeats
# the wrong columns farther out.
Fill = Literal["constant", "nearest", "reflect"]
Interpolation = Literal["bilinear", "nearest"]


@dataclass(frozen=True)
class Ranges:
    """How far each transformation goes, both ways; by default, nowhere.

    rotate: degrees, uniform; 180 is all round. translate: pixels of the canvas down and across,
    uniform. zoom: size from 1/zoom to zoom, log-uniform. mirror: left to right, every other picture
    by chance. shear: degrees that the vertical leans, uniform; areas stay. stretch: width times s and
    height divided by s, s from 1/stretch to stretch, log-uniform.

    Raises ValueError where a range is none.
    """

    rotate: float = 0.0
    translate: float = 0.0
    zoom: float = 1.0
    mirror: bool = False
    shear: float = 0.0
    stretch: float = 1.0

    def __post_init__(self) -> None:
        bounds = {"rotate": (0, 180), "translate": (0, math.inf), "zoom": (1, math.inf), "shear": (0, 89)}
        for name, (least, most) in (bounds | {"stretch": (1, math.inf)}).items():
            value = getattr(self, name)
            if not (math.isfinite(value) and least <= value <= most):
                raise ValueError(
                    f"{name} is a finite number from {least} to {most}; {value} came. Give it such a value."
                )


LECTURE = Ranges(rotate=180.0, translate=10.0, zoom=1.6, mirror=True, shear=20.0, stretch=1.3)


def warp(
    canvases: tf.Tensor,
    side: int,
    ranges: Ranges,
    seed: Seed,
    fill: Fill = "constant",
    interpolation: Interpolation = "bilinear",
    fill_value: float = 0.0,
) -> tf.Tensor:
    """One random view of each canvas about its centre.

    canvases: uint8 or float [N, height, width, channels]; side: of the views, in pixels; fill: what
    lies beyond the canvas, `fill_value` or the nearest edge or the mirror image. Returns the same
    dtype [N, side, side, channels], uint8 rounded. With ranges that go nowhere it is the crop that
    `random_crops` takes without a shift.
    """
    transforms = matrices(ranges, tf.shape(canvases)[0], _size(canvases), (side, side), seed)
    return apply(transforms, canvases, (side, side), fill, interpolation, fill_value)


def matrices(ranges: Ranges, pictures: int | tf.Tensor, canvas: Size, view: Size, seed: Seed) -> tf.Tensor:
    """float32 [pictures, 8]: where on the canvas each pixel of the view is taken from.

    Row-wise a0 a1 a2 b0 b1 b2 0 0: pixel (x, y) of the view is (a0 x + a1 y + a2, b0 x + b1 y + b2)
    of the canvas, counted from the centre of its first pixel.
    """
    draws = tf.random.stateless_uniform((pictures, 7), whole(seed), -1.0, 1.0)
    rotate, down, across, zoom, mirror, shear, stretch = tf.unstack(draws, axis=1)
    angle = math.radians(ranges.rotate) * rotate
    lean = tf.tan(math.radians(ranges.shear) * shear)
    size, shape = math.log(ranges.zoom) * zoom, math.log(ranges.stretch) * stretch
    # A view twice as large takes its pixels from half as far, so both go in inverted.
    wide, high = tf.exp(-size - shape), tf.exp(shape - size)
    if ranges.mirror:
        wide = tf.where(mirror < 0, -wide, wide)
    # rotation x (1 lean / 0 1) x (wide 0 / 0 high), about the two centres.
    cos, sin = tf.cos(angle), tf.sin(angle)
    a0, a1 = cos * wide, (cos * lean - sin) * high
    b0, b1 = sin * wide, (sin * lean + cos) * high
    (top, left), (middle_y, middle_x) = _corner(canvas, view), _middle(view)
    a2 = left + middle_x + ranges.translate * across - (a0 * middle_x + a1 * middle_y)
    b2 = top + middle_y + ranges.translate * down - (b0 * middle_x + b1 * middle_y)
    nothing = tf.zeros_like(a0)
    return tf.stack([a0, a1, a2, b0, b1, b2, nothing, nothing], axis=1)


def apply(
    transforms: tf.Tensor,
    canvases: tf.Tensor,
    view: Size,
    fill: Fill = "constant",
    interpolation: Interpolation = "bilinear",
    fill_value: float = 0.0,
) -> tf.Tensor:
    """The views that `matrices` describes. Types and shapes as in `warp`.

    Raises ValueError for an unknown fill or interpolation.
    """
    _check_name("fill", fill, get_args(Fill))
    _check_name("interpolation", interpolation, get_args(Interpolation))
    canvases = tf.convert_to_tensor(canvases)
    whole = canvases.dtype.is_integer
    views = tf.raw_ops.ImageProjectiveTransformV3(
        # Of whole numbers the operation cuts off what follows the point, and is slower.
        images=tf.cast(canvases, tf.float32) if whole else canvases,
        transforms=transforms,
        output_shape=tf.stack(view),
        fill_value=fill_value,
        interpolation=interpolation.upper(),
        fill_mode=fill.upper(),
    )
    views.set_shape([canvases.shape[0], *(each if isinstance(each, int) else None for each in view), canvases.shape[3]])
    return tf.cast(tf.round(views), canvases.dtype) if whole else views


@keras.saving.register_keras_serializable("tencrop")
class RandomAffine(keras.layers.Layer):
    """`warp` as a layer of a model, to views as large as the pictures; outside training it changes nothing.

    The fields of `Ranges`, then `warp`'s own. `seed` starts the sequence of draws. In `tf.data` with
    several calls at a time the sequence is shared in no fixed order: call `warp` there, with a seed a batch.
    """

    def __init__(
        self,
        rotate: float = 0.0,
        translate: float = 0.0,
        zoom: float = 1.0,
        mirror: bool = False,
        shear: float = 0.0,
        stretch: float = 1.0,
        fill: Fill = "constant",
        interpolation: Interpolation = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        **layer: Any,
    ) -> None:
        # Pictures come out in the type they came in, whatever the precision of the layers after.
        super().__init__(autocast=False, **layer)
        _check_name("fill", fill, get_args(Fill))
        _check_name("interpolation", interpolation, get_args(Interpolation))
        self.ranges = Ranges(rotate, translate, zoom, mirror, shear, stretch)
        self.sampling = {"fill": fill, "interpolation": interpolation, "fill_value": fill_value}
        self.seed = seed
        self.seeds = keras.random.SeedGenerator(seed)
        # XLA has no such operation.
        self.supports_jit = False

    def call(self, pictures: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not training:
            return pictures
        size = _size(pictures)
        transforms = matrices(self.ranges, tf.shape(pictures)[0], size, size, self.seeds.next())
        return apply(transforms, pictures, size, **self.sampling)

    def compute_output_spec(self, pictures: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        return keras.KerasTensor(pictures.shape, pictures.dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | asdict(self.ranges) | self.sampling | {"seed": self.seed}


def _size(pictures: tf.Tensor) -> Size:
    """Height and width, as numbers where they are known."""
    dynamic = tf.shape(pictures)
    return tuple(dynamic[axis] if pictures.shape[axis] is None else pictures.shape[axis] for axis in (1, 2))


def _corner(canvas: Size, view: Size) -> tuple[tf.Tensor, ...]:
    """Top and left of the centre crop, a whole pixel, so that going nowhere interpolates nothing."""
    return tuple(
        tf.round((tf.cast(outer, tf.float32) - tf.cast(inner, tf.float32)) / 2)
        for outer, inner in zip(canvas, view, strict=True)
    )


def _middle(view: Size) -> tuple[tf.Tensor, ...]:
    return tuple((tf.cast(side, tf.float32) - 1) / 2 for side in view)


def _check_name(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} is one of {', '.join(known)}; {value!r} came. Give one of them.")
