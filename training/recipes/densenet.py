"""DenseNet: Huang, Liu, van der Maaten and Weinberger 2016.

tencrop train densenet121 --data pictures/ --out models/densenet121
    25.02 % with one view, 23.61 % with ten (Table 3); the paper does not say how long it took
tencrop train densenet-bc100-k12 --data cifar10 --out models/densenet-bc100
    4.51 % (Table 2)
tencrop train densenet-bc100-k12 --data fashion-mnist --out models/densenet-fashion
    the ladder of training/README.md, which has its time and error
"""

from dataclasses import replace

from training.recipes.fashion import FASHION
from training.recipes.recipe import Recipe

PAPER = Recipe(
    architecture="densenet121",
    input_side=224,
    shorter_side=256,
    crop="area",  # section 4.1: the augmentation of the authors' Torch code for ResNets
    mirror=True,
    colour=0.1,
    epochs=90,  # section 4.2, here and below
    milestones=(30, 60),
    schedule="steps",
    batch_size=256,
    momentum=0.9,
    nesterov=True,
    l2=1e-4,
    learning_rate=0.1,
)

CIFAR = Recipe(
    architecture="densenet-bc100-k12",
    margin=4,  # section 4.1
    translate=4,
    mirror=True,
    epochs=300,  # section 4.2, here and below
    milestones=(150, 225),
    schedule="steps",
    batch_size=64,
    momentum=0.9,
    nesterov=True,
    l2=1e-4,
    learning_rate=0.1,
)

# Ours: 3 layers a block behind a first convolution that strides, for two cores.
FASHION_MNIST = replace(
    FASHION,
    architecture="densenet-bc100-k12",
    options={"blocks": 3, "stride": 2},
    epochs=5,
    learning_rate=0.1,
)

RECIPES = {
    name: {"directory": replace(PAPER, architecture=name)}
    for name in ("densenet121", "densenet161", "densenet169", "densenet201", "densenet264")
} | {
    name: {
        "directory": replace(CIFAR, architecture=name),
        "fashion-mnist": replace(FASHION_MNIST, architecture=name),
    }
    for name in ("densenet40-k12", "densenet-bc100-k12")
}
