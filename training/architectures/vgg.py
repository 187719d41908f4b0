"""VGG: Simonyan and Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", Table 1.

At 224x224x3 and 1000 classes: A and A-LRN 132,863,336 parameters, B 133,047,848,
C 133,638,952, D ("VGG-16") 138,357,544, E ("VGG-19") 143,667,240.
"""

import keras
from keras import layers

from training.architectures.layers import LRN, Stem, classify_densely, first_weights, normalise, thinned

MAPS = (64, 128, 256, 512, 512)
TABLE_1 = {
    # The sides of the filters of each stage; a stage ends with 2x2 pooling.
    "vgg-a": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "vgg-a-lrn": ((3,), (3,), (3, 3), (3, 3), (3, 3)),  # and normalised after conv1_1
    "vgg-b": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "vgg-c": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "vgg-d": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "vgg-e": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}


def build(
    name: str,
    classes: int,
    input_shape: tuple[int, int, int],
    *,
    stem: Stem = "paper",
    width: float = 1.0,
    fc_width: int = 4096,
    dropout: float = 0.5,
) -> keras.Model:
    """VGG A to E. The small stem leaves out the first pooling."""
    return _build(name, classes, input_shape, "off", stem, width, fc_width, dropout)


def build_with_lrn(
    name: str,
    classes: int,
    input_shape: tuple[int, int, int],
    *,
    lrn: LRN = "paper",
    stem: Stem = "paper",
    width: float = 1.0,
    fc_width: int = 4096,
    dropout: float = 0.5,
) -> keras.Model:
    """VGG A-LRN: A, normalised over maps after conv1_1."""
    return _build(name, classes, input_shape, lrn, stem, width, fc_width, dropout)


def _build(name, classes, input_shape, lrn, stem, width, fc_width, dropout) -> keras.Model:
    weights = {"kernel_initializer": first_weights(stem, "glorot_uniform")}  # section 3.1
    inputs = keras.Input(input_shape, name="pictures")
    x = inputs
    for stage, (maps, sides) in enumerate(zip(MAPS, TABLE_1[name], strict=True), start=1):
        for number, side in enumerate(sides, start=1):
            count, layer = thinned(maps, width), f"conv{stage}_{number}"
            x = layers.Conv2D(count, side, padding="same", activation="relu", name=layer, **weights)(x)
            if (stage, number) == (1, 1):
                x = normalise(x, lrn, "norm1")
        if (stage, stem) != (1, "small"):
            x = layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    return keras.Model(inputs, classify_densely(x, classes, fc_width, dropout, **weights), name=name)
