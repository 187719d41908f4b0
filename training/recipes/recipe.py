"""What a recipe is: the numbers of one training run, and nothing that runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from training.errors import BadRecipe


def _number(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Recipe:
    """Stochastic gradient descent on shifted and mirrored crops."""

    architecture: str = _number("lenet5", "The network, by its name in training/architectures.")
    options: Mapping[str, Any] = field(default_factory=dict, metadata={"help": "The architecture's own options."})

    input_side: int = _number(32, "Height and width of what the network sees, pixels.")
    shorter_side: int = _number(32, "A picture's shorter side is resized to so many pixels.")
    margin: int = _number(0, "Black pixels then added on every side, so that crops have room to be shifted.")

    epochs: int = _number(20, "Passes over the training pictures.")
    batch_size: int = _number(128, "Pictures a step; the rest of an epoch that fills no batch is left out.")
    learning_rate: float = _number(0.05, "Learning rate of the first step.")
    schedule: Literal["cosine", "constant"] = _number("cosine", "How the learning rate falls: cosine ends at zero.")
    momentum: float = _number(0.9, "Momentum of the descent.")
    nesterov: bool = _number(True, "Whether the momentum looks ahead (Nesterov).")
    l2: float = _number(5e-4, "Weight of l2 * |w|^2 / 2 in the loss, for kernels: gradient l2 * w, as papers count it.")

    translate: int = _number(0, "Crops are shifted by up to so many pixels each way from the centre.")
    mirror: bool = _number(False, "Whether every other crop, by chance, is mirrored left to right.")

    mixed_precision: Literal["off", "bfloat16", "float16"] = _number(
        "off", "The type that layers compute in; weights stay float32."
    )

    def __post_init__(self) -> None:
        room = (self.canvas_side - self.input_side) // 2
        if self.translate > room:
            raise BadRecipe(
                f"A crop is shifted within its canvas: of {self.canvas_side} pixels (shorter_side + 2 * margin), "
                f"{self.input_side} leave room for {max(room, 0)} each way; translate is {self.translate}. "
                "Raise margin or shorter_side, or lower translate."
            )
        for name in ("input_side", "shorter_side", "epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise BadRecipe(f"{name} is at least 1; {getattr(self, name)} came.")

    @property
    def canvas_side(self) -> int:
        """Pixels of the shorter side that crops are cut from."""
        return self.shorter_side + 2 * self.margin

    def as_dict(self) -> dict[str, Any]:
        """Field -> value, fit for JSON."""
        return asdict(self) | {"options": dict(self.options)}

    def differences(self, other: "Recipe") -> list[str]:
        """Each field that `other` has another value for, as "epochs 20 -> 30"."""
        return [
            f"{each.name} {getattr(self, each.name)} -> {getattr(other, each.name)}"
            for each in fields(self)
            if getattr(self, each.name) != getattr(other, each.name)
        ]
