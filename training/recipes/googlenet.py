"""GoogLeNet: Szegedy, Liu, Jia et al. 2014.

tencrop train googlenet --data pictures/ --out models/googlenet
    the paper: "trained to convergence using few high-end GPUs within a week" (section 6); – / 10.07 % (Table 3)
tencrop train googlenet --data fashion-mnist --out models/googlenet-fashion
    the ladder of training/README.md, which has its time and error
"""

from dataclasses import replace

from training.recipes.fashion import FASHION
from training.recipes.recipe import Recipe

PAPER = Recipe(
    architecture="googlenet",
    options={"training_heads": True},  # section 5; the heads are left out of what is published
    input_side=224,
    shorter_side=256,
    crop="area",  # section 6, here and below
    mirror=True,
    colour=0.1,  # "photometric distortions", not further described
    momentum=0.9,
    nesterov=False,
    schedule="steps",
    decay=0.96,
    milestones=tuple(range(8, 240, 8)),
    averaging=0.9999,
    # Not in the paper: ours.
    epochs=240,
    batch_size=256,
    learning_rate=0.01,
    l2=2e-4,
)

# Ours: thin, with batch normalisation, which learns more in few epochs.
FASHION_MNIST = replace(
    FASHION,
    architecture="googlenet",
    options={"stem": "small", "width": 0.125, "batch_norm": True},
    epochs=3,
    learning_rate=0.1,
)

RECIPES = {"googlenet": {"directory": PAPER, "fashion-mnist": FASHION_MNIST}}
