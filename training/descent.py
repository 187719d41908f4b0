"""What a recipe's descent is in Keras' terms: the loss, the optimiser, and what holds the weights down."""

import keras
from keras import ops

from training.architectures.googlenet import AUXILIARY_WEIGHT
from training.recipes.recipe import Recipe
from training.schedules import learning_rate


def compile_for_training(model: keras.Model, recipe: Recipe, steps: int) -> keras.Model:
    """`model` with the recipe's loss and optimiser, for epochs of `steps` steps.

    It gives float32 logits [N, classes], or [N, heads, classes] where auxiliary heads learn too.
    """
    for variable in model.trainable_variables:
        if variable.name == "kernel":
            variable.regularizer = keras.regularizers.L2(recipe.l2 / 2)  # Keras' L2(l) has the gradient 2 * l * w
            if recipe.filter_rms and len(variable.shape) == 4:
                variable.constraint = LimitedFilters(recipe.filter_rms)
    averaging = {"use_ema": True, "ema_momentum": recipe.averaging} if recipe.averaging else {}
    optimizer = Descent(learning_rate(recipe, steps), recipe.momentum, recipe.nesterov, **averaging)
    if recipe.mixed_precision == "float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer, cross_entropy, metrics=[top_1_error], jit_compile=False)
    return model


@keras.saving.register_keras_serializable("tencrop")
class Descent(keras.optimizers.SGD):
    """Stochastic gradient descent that leaves the weights as they are when a fit ends: a run may take several,
    and Keras would put their average in place after each.
    """

    def finalize_variable_values(self, var_list):
        pass

    def take_averages(self, variables: list[keras.Variable]) -> None:
        """Puts the moving averages in the place of the weights, where averages are kept."""
        super().finalize_variable_values(variables)


def take_averages(model: keras.Model) -> None:
    """Ends the training of `model`: its weights are what the recipe publishes."""
    descent = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    descent.take_averages(model.trainable_variables)


def cross_entropy(class_ids, logits):
    """Of the main head, and AUXILIARY_WEIGHT times that of each auxiliary one: float32 [N].

    class_ids: int [N] or [N, 1]; logits: [N, classes], or [N, heads, classes] with the main head first.
    """
    class_ids = ops.reshape(class_ids, (-1,))
    if logits.ndim == 2:
        return keras.losses.sparse_categorical_crossentropy(class_ids, logits, from_logits=True)
    main, *others = (cross_entropy(class_ids, logits[:, head]) for head in range(logits.shape[1]))
    return main + AUXILIARY_WEIGHT * sum(others)


def top_1_error(class_ids, logits):
    """1 where the main head's best logit is not the class's, else 0: float32 [N]."""
    main = logits if logits.ndim == 2 else logits[:, 0]
    best = ops.cast(ops.argmax(main, axis=-1), class_ids.dtype)
    return ops.cast(ops.not_equal(ops.reshape(class_ids, (-1,)), best), "float32")


@keras.saving.register_keras_serializable("tencrop")
class LimitedFilters(keras.constraints.Constraint):
    """Filters whose root mean square is above `limit` are scaled down to it (Zeiler and Fergus 2013, section 3).

    kernel: [height, width, maps in, filters]
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(self, kernel):
        rms = ops.sqrt(ops.mean(ops.square(kernel), axis=(0, 1, 2), keepdims=True))
        return kernel * (self.limit / ops.maximum(rms, self.limit))

    def get_config(self):
        return {"limit": self.limit}
