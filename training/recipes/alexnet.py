"""AlexNet: Krizhevsky, Sutskever and Hinton 2012.

tencrop train alexnet --data pictures/ --out models/alexnet
    the paper: "five to six days on two NVIDIA GTX 580 3GB GPUs"; 40.7 / 18.2 % with ten views (section 6)
tencrop train alexnet --data fashion-mnist --out models/alexnet-fashion
    the ladder of training/README.md, which has its time and error
"""

from dataclasses import replace

from training.recipes.fashion import FASHION
from training.recipes.recipe import Recipe

PAPER = Recipe(
    architecture="alexnet",
    input_side=227,  # the paper says 224, which its numbers of neurons contradict
    shorter_side=256,  # section 2
    translate=14,  # section 4.1: crops from anywhere in 256 x 256, and mirror images
    mirror=True,
    colour=0.1,  # section 4.1
    epochs=90,  # section 5, here and below; dropout of 0.5 and first weights are the architecture's
    batch_size=128,
    momentum=0.9,
    nesterov=False,
    l2=5e-4,
    learning_rate=0.01,
    schedule="plateau",  # "when the validation error rate stopped improving", on pictures of our own
    validation=0.02,
)

# Ours: thin, without normalisation over maps, which a processor takes longer for than for the convolutions.
FASHION_MNIST = replace(
    FASHION,
    architecture="alexnet",
    options={"stem": "small", "width": 0.125, "fc_width": 256, "dropout": 0.25, "lrn": "off"},
    epochs=5,
    learning_rate=0.02,
)

RECIPES = {"alexnet": {"directory": PAPER, "fashion-mnist": FASHION_MNIST}}
# The lecture lists the layers without groups, and calls normalisation over maps unnecessary.
LECTURE = {"alexnet": {"directory": replace(PAPER, options={"groups": 1, "lrn": "off"})}}
