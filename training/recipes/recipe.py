"""What a recipe is: the numbers of one training run, and nothing that runs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, NamedTuple, get_args, get_origin

from training.errors import BadRecipe


class Bounds(NamedTuple):
    """What a number may be, in words and as a test that NaN fails."""

    words: str
    allow: Callable[[Any], bool]


_COUNT = Bounds("a whole number, 1 or more", lambda value: isinstance(value, int) and value >= 1)
_PIXELS = Bounds("a whole number, 0 or more", lambda value: isinstance(value, int) and value >= 0)
_RATE = Bounds("a finite number above 0", lambda value: 0 < value < math.inf)
_WEIGHT = Bounds("a finite number, 0 or more", lambda value: 0 <= value < math.inf)
_FADING = Bounds("a number from 0 to below 1", lambda value: 0 <= value < 1)


def _number(default: Any, help: str, bounds: Bounds | None = None) -> Any:
    return field(default=default, metadata={"help": help, "bounds": bounds})


@dataclass(frozen=True)
class Recipe:
    """Stochastic gradient descent on shifted and mirrored crops."""

    architecture: str = _number("lenet5", "The network, by its name in training/architectures.")
    options: Mapping[str, Any] = field(default_factory=dict, metadata={"help": "The architecture's own options."})

    input_side: int = _number(32, "Height and width of what the network sees, pixels.", _COUNT)
    shorter_side: int = _number(32, "A picture's shorter side is resized to so many pixels.", _COUNT)
    margin: int = _number(0, "Black pixels then added on every side, so that crops have room to be shifted.", _PIXELS)

    epochs: int = _number(20, "Passes over the training pictures.", _COUNT)
    batch_size: int = _number(128, "Pictures a step; the rest of an epoch that fills no batch is left out.", _COUNT)
    learning_rate: float = _number(0.05, "Learning rate of the first step.", _RATE)
    schedule: Literal["cosine", "constant"] = _number("cosine", "How the learning rate falls: cosine ends at zero.")
    momentum: float = _number(0.9, "Momentum of the descent.", _FADING)
    nesterov: bool = _number(True, "Whether the momentum looks ahead (Nesterov).")
    l2: float = _number(
        5e-4, "Weight of l2 * |w|^2 / 2 in the loss, for kernels: gradient l2 * w, as papers count it.", _WEIGHT
    )

    translate: int = _number(0, "Crops are shifted by up to so many pixels each way from the centre.", _PIXELS)
    mirror: bool = _number(False, "Whether every other crop, by chance, is mirrored left to right.")

    mixed_precision: Literal["off", "bfloat16", "float16"] = _number(
        "off", "The type that layers compute in; weights stay float32."
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each.name, getattr(self, each.name), each.type, each.metadata.get("bounds"))
        room = (self.canvas_side - self.input_side) // 2
        if self.translate > room:
            raise BadRecipe(
                f"A crop is shifted within its canvas: of {self.canvas_side} pixels (shorter_side + 2 * margin), "
                f"{self.input_side} leave room for {max(room, 0)} each way; translate is {self.translate}. "
                "Raise margin or shorter_side, or lower translate."
            )

    @property
    def canvas_side(self) -> int:
        """Pixels of the shorter side that crops are cut from."""
        return self.shorter_side + 2 * self.margin

    def as_dict(self) -> dict[str, Any]:
        """Field -> value, fit for JSON."""
        return asdict(self) | {"options": dict(self.options)}


def _check(name: str, value: Any, kind: Any, bounds: Bounds | None) -> None:
    """Raises BadRecipe where `value` is not one that the field `name` may have."""
    if get_origin(kind) is Literal:
        bounds = Bounds(" or ".join(get_args(kind)), lambda value: value in get_args(kind))
    if bounds is not None and not bounds.allow(value):
        raise BadRecipe(f"{name} is {bounds.words}; {value} came. Give it such a value.")
