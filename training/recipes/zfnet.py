"""ZFNet: Zeiler and Fergus 2013.

tencrop train zfnet --data pictures/ --out models/zfnet
    the paper: "took around 12 days on a single GTX580 GPU"; 37.5 / 16.0 % (Table 2, 512-1024-512 maps)
tencrop train zfnet --data fashion-mnist --out models/zfnet-fashion
    the ladder of training/README.md, which has its time and error
"""

from dataclasses import replace

from training.recipes import alexnet
from training.recipes.recipe import Recipe

# Section 3. What it does not say is AlexNet's, which it begins from.
PAPER = replace(
    alexnet.PAPER,
    architecture="zfnet",
    input_side=224,
    translate=16,
    colour=0.0,
    epochs=70,
    filter_rms=0.1,
)

FASHION_MNIST = replace(alexnet.FASHION_MNIST, architecture="zfnet", epochs=12)

RECIPES: dict[str, dict[str, Recipe]] = {"zfnet": {"directory": PAPER, "fashion-mnist": FASHION_MNIST}}
