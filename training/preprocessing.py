"""From samples of 0 to 255 to what a network was trained on: as data, and as the first layers of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from training.errors import NotExportable

if TYPE_CHECKING:
    import keras


class Preprocessing(NamedTuple):
    """A network is fed with (picture - mean) * scale, its channels in the order of `channels`.

    `mean` and `scale` are one number, or one a channel in that order.
    """

    mean: Sequence[float] = (0.0,)
    scale: Sequence[float] = (1.0,)
    channels: Literal["rgb", "bgr"] = "rgb"


PRESETS = {
    # Samples as they are.
    "none": Preprocessing(),
    # From 0 to 1.
    "unit": Preprocessing(scale=(1 / 255,)),
    # From -1 to 1; the mode "tf" of keras.applications.
    "symmetric": Preprocessing((127.5,), (1 / 127.5,)),
    # Mean 0 and deviation 1 over ImageNet; torchvision's, and the mode "torch" of keras.applications.
    "torch": Preprocessing(
        (0.485 * 255, 0.456 * 255, 0.406 * 255), (1 / 0.229 / 255, 1 / 0.224 / 255, 1 / 0.225 / 255)
    ),
    # Mean 0 over ImageNet; Caffe's, and the mode "caffe" of keras.applications.
    "caffe": Preprocessing((103.939, 116.779, 123.68), channels="bgr"),
}


def check(preprocessing: Preprocessing, channels: int) -> None:
    """Raises NotExportable where pictures of so many channels would come out as constants or no numbers."""
    mean, scale, order = preprocessing
    for name, numbers in (("mean", mean), ("scale", scale)):
        if len(numbers) not in (1, channels):
            raise NotExportable(
                f"A {name} is one number or one for each of {channels} channels; {len(numbers)} came. "
                "Give what the model was trained with."
            )
    if not all(math.isfinite(each) for each in mean):
        came = ", ".join(str(each) for each in mean)
        raise NotExportable(f"A mean is a finite number; {came} came. Give what the model was trained with.")
    if not all(math.isfinite(each) and each for each in scale):
        came = ", ".join(str(each) for each in scale)
        raise NotExportable(
            f"A scale is a finite number other than 0; {came} came. Give what the model was trained with, 1/255 say."
        )
    if order == "bgr" and channels != 3:
        raise NotExportable(f"The order bgr is one of 3 channels; the model takes {channels}. Leave it out.")


def behind(network: keras.Model, preprocessing: Preprocessing, input_shape: tuple[int, int, int]) -> keras.Model:
    """`network` fed through `preprocessing`, in float32: a model of uint8 [N, *input_shape], colours in RGB."""
    import keras
    import numpy as np

    mean, scale, order = preprocessing
    scales = np.broadcast_to(scale, input_shape[2])
    offsets = -np.asarray(mean) * scales
    pictures = keras.Input(input_shape, dtype="uint8", name="pictures")
    ordered = keras.ops.flip(pictures, axis=-1) if order == "bgr" else pictures
    scaling = keras.layers.Rescaling(scales.tolist(), offsets.tolist(), dtype="float32", name="scaling")
    return keras.Model(pictures, network(scaling(ordered)))
