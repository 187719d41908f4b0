"""What the recipes for Fashion-MNIST on the ladder have in common. Ours, for some minutes of two cores each."""

from training.recipes.recipe import Recipe

FASHION = Recipe(
    input_side=28,
    shorter_side=28,
    margin=1,
    translate=1,
    mirror=True,
    batch_size=64,
    warmup=1,
)
