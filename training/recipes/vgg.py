"""VGG: Simonyan and Zisserman 2014.

tencrop train vgg-d --data pictures/ --out models/vgg-d
    the paper: "2-3 weeks" on four NVIDIA Titan Black GPUs (section 3.3); 25.6 / 8.1 % (Table 3)
tencrop train vgg-a --data fashion-mnist --out models/vgg-a-fashion
    the ladder of training/README.md, which has its time and error
"""

from dataclasses import replace

from training.recipes import alexnet
from training.recipes.recipe import Recipe

PAPER = Recipe(
    architecture="vgg-a",
    input_side=224,  # section 2.1
    shorter_side=384,  # section 4.1: Q in the middle of the training scales
    crop="anywhere",  # section 3.1, here and below
    scale_jitter=(256, 512),
    mirror=True,
    colour=0.1,
    epochs=74,
    batch_size=256,
    momentum=0.9,
    nesterov=False,
    l2=5e-4,
    learning_rate=0.01,
    schedule="plateau",
    validation=0.02,
)

# Ours: thin, for two cores.
FASHION_MNIST = replace(
    alexnet.FASHION_MNIST,
    architecture="vgg-a",
    options={"stem": "small", "width": 0.1875, "fc_width": 256, "dropout": 0.25},
    epochs=7,
)

RECIPES: dict[str, dict[str, Recipe]] = {
    name: {"directory": replace(PAPER, architecture=name), "fashion-mnist": replace(FASHION_MNIST, architecture=name)}
    for name in ("vgg-a", "vgg-a-lrn", "vgg-b", "vgg-c", "vgg-d", "vgg-e")
}
