"""ResNet: He, Zhang, Ren and Sun 2015.

tencrop train resnet50 --data pictures/ --out models/resnet50
    22.85 / 6.71 % with ten views (Table 3); the paper does not say how long it took
tencrop train resnet20 --data cifar10 --out models/resnet20
    8.75 % (Table 6)
tencrop train resnet20 --data fashion-mnist --out models/resnet20-fashion
    the ladder of training/README.md, which has its time and error
"""

from dataclasses import replace

from training.recipes.fashion import FASHION
from training.recipes.recipe import Recipe

PAPER = Recipe(
    architecture="resnet50",
    input_side=224,  # section 3.4, here and below
    shorter_side=256,
    crop="anywhere",
    scale_jitter=(256, 480),
    mirror=True,
    colour=0.1,
    epochs=120,  # 600,000 steps
    batch_size=256,
    momentum=0.9,
    nesterov=False,
    l2=1e-4,
    learning_rate=0.1,
    schedule="plateau",
    validation=0.02,
)

CIFAR = Recipe(
    architecture="resnet20",
    margin=4,  # section 4.2, here and below
    translate=4,
    mirror=True,
    epochs=164,  # 64,000 steps
    milestones=(82, 123),  # 32,000 and 48,000
    schedule="steps",
    batch_size=128,
    momentum=0.9,
    nesterov=False,
    l2=1e-4,
    learning_rate=0.1,
)

# Ours: few epochs, for two cores.
FASHION_MNIST = replace(
    FASHION,
    architecture="resnet20",
    epochs=3,
    batch_size=128,
    learning_rate=0.1,
)

_WARM = {"resnet110": {"warmup": 1}}
"""Section 4.2 trains ResNet-110 at 0.01 until the error is below 80 %, about 400 steps; ours rises through an epoch."""

RECIPES = {
    name: {"directory": replace(PAPER, architecture=name)}
    for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
} | {
    name: {
        "directory": replace(CIFAR, architecture=name, **_WARM.get(name, {})),
        "fashion-mnist": replace(FASHION_MNIST, architecture=name),
    }
    for name in ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110")
}

# The lecture prints a weight decay of 1e-5.
LECTURE = {
    architecture: {name: replace(recipe, l2=1e-5) for name, recipe in recipes.items()}
    for architecture, recipes in RECIPES.items()
}
