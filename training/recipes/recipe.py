"""What a recipe is: the numbers of one training run, and nothing that runs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple, get_args, get_origin

from training.errors import BadRecipe


class Bounds(NamedTuple):
    """What a number may be, in words and as a test that NaN fails."""

    words: str
    allow: Callable[[Any], bool]


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and value >= least


_COUNT = Bounds("a whole number, 1 or more", lambda value: _whole(value, 1))
_NATURAL = Bounds("a whole number, 0 or more", lambda value: _whole(value, 0))
_RATE = Bounds("a finite number above 0", lambda value: 0 < value < math.inf)
_WEIGHT = Bounds("a finite number, 0 or more", lambda value: 0 <= value < math.inf)
_FADING = Bounds("a number from 0 to below 1", lambda value: 0 <= value < 1)
_SHARE = Bounds("a number above 0 and below 1", lambda value: 0 < value < 1)
_TURN = Bounds("a number of degrees from 0 to 180", lambda value: 0 <= value <= 180)
_LEAN = Bounds("a number of degrees from 0 to 89", lambda value: 0 <= value <= 89)
_FACTOR = Bounds("a finite number, 1 or more", lambda value: 1 <= value < math.inf)
_MOMENTS = Bounds(
    "whole numbers, 1 or more, in rising order",
    lambda values: all(_whole(each, 1) for each in values) and list(values) == sorted(set(values)),
)
_RANGE = Bounds(
    "nothing, or two whole numbers of pixels in rising order",
    lambda values: len(values) in (0, 2) and _MOMENTS.allow(values),
)


def _number(default: Any, help: str, bounds: Bounds | None = None) -> Any:
    return field(default=default, metadata={"help": help, "bounds": bounds})


@dataclass(frozen=True)
class Recipe:
    """Stochastic gradient descent on pictures that look a little different each time."""

    architecture: str = _number("lenet5", "The network, by its name in training/architectures.")
    options: Mapping[str, Any] = field(default_factory=dict, metadata={"help": "The architecture's own options."})

    # What the network sees, in training and when it is served.
    input_side: int = _number(32, "Height and width of what the network sees, pixels.", _COUNT)
    shorter_side: int = _number(32, "A picture's shorter side is resized to so many pixels.", _COUNT)
    margin: int = _number(0, "Black pixels then added on every side, so that crops have room to be shifted.", _NATURAL)

    # How long.
    epochs: int = _number(20, "Passes over the training pictures.", _COUNT)
    batch_size: int = _number(128, "Pictures a step; the rest of an epoch that fills no batch is left out.", _COUNT)
    steps: int = _number(0, "Steps an epoch; 0 is as many as the pictures fill.", _NATURAL)

    # The descent.
    learning_rate: float = _number(0.05, "Learning rate of the first step, after any warm-up.", _RATE)
    schedule: Literal["cosine", "constant", "steps", "plateau"] = _number(
        "cosine",
        "How the learning rate falls: cosine ends at zero; steps multiplies it by --decay at each of --milestones; "
        "plateau does so when the validation error has not fallen for --patience epochs.",
    )
    milestones: tuple[int, ...] = _number((), "Epochs after which steps lowers the learning rate, 30,60 say.", _MOMENTS)
    decay: float = _number(0.1, "What steps and plateau multiply the learning rate by.", _SHARE)
    patience: int = _number(5, "Epochs that plateau waits for a lower validation error.", _COUNT)
    validation: float = _number(
        0.0, "Share of the training pictures that is not trained on, and measured after each epoch.", _FADING
    )
    warmup: int = _number(0, "Epochs in which the learning rate first rises from zero, step by step.", _NATURAL)
    momentum: float = _number(0.9, "Momentum of the descent.", _FADING)
    nesterov: bool = _number(True, "Whether the momentum looks ahead (Nesterov).")
    l2: float = _number(
        5e-4, "Weight of l2 * |w|^2 / 2 in the loss, for kernels: gradient l2 * w, as papers count it.", _WEIGHT
    )
    filter_rms: float = _number(
        0.0,
        "Filters of convolutions are scaled down to this root mean square when they exceed it; 0 leaves them.",
        _WEIGHT,
    )
    averaging: float = _number(
        0.0,
        "Share that a moving average of the weights keeps of itself each step (Polyak), 0.999 say; it is what is "
        "published. 0 publishes the last weights.",
        _FADING,
    )

    # Augmentation: what may differ from one time a picture is seen to the next.
    crop: Literal["shift", "anywhere", "area"] = _number(
        "shift",
        "Where training crops lie: shifted from the centre by up to --translate; anywhere in the picture; or anywhere "
        "with 8 to 100 % of its area and sides in the ratio of 3:4 to 4:3.",
    )
    scale_jitter: tuple[int, ...] = _number(
        (), "Two numbers, 256,480 say: with crops from anywhere, the shorter side is drawn between them.", _RANGE
    )
    translate: int = _number(0, "Crops are shifted by up to so many pixels each way from the centre.", _NATURAL)
    mirror: bool = _number(False, "Whether every other crop, by chance, is mirrored left to right.")
    rotate: float = _number(0.0, "Pictures are turned by up to so many degrees each way; 180 is all round.", _TURN)
    zoom: float = _number(1.0, "Pictures are scaled by a factor between 1 / zoom and zoom.", _FACTOR)
    shear: float = _number(0.0, "Pictures are sheared by up to so many degrees each way.", _LEAN)
    stretch: float = _number(1.0, "Width times and height over a factor between 1 / stretch and stretch.", _FACTOR)
    colour: float = _number(
        0.0, "Standard deviation of the shifts of RGB pictures along their principal colours, 0.1 say.", _WEIGHT
    )

    mixed_precision: Literal["off", "bfloat16", "float16"] = _number(
        "off", "The type that layers compute in; weights stay float32."
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each.name, getattr(self, each.name), each.type, each.metadata.get("bounds"))
        self._check_crops()
        if self.schedule == "plateau" and (self.warmup or not self.validation):
            raise BadRecipe(
                "The plateau schedule watches the error on pictures that are not trained on, from the first epoch on; "
                f"validation is {self.validation} and warmup {self.warmup}. Hold some pictures out by validation and "
                "leave warmup out, or take another schedule."
            )

    def _check_crops(self) -> None:
        if self.input_side > self.canvas_side:
            raise BadRecipe(
                f"What the network sees is cut from a canvas; input_side is {self.input_side} and the canvas has "
                f"{self.canvas_side} pixels (shorter_side + 2 * margin). Raise shorter_side, or lower input_side."
            )
        room = (self.canvas_side - self.input_side) // 2
        if self.crop == "shift" and not self.warps and self.translate > room:
            raise BadRecipe(
                f"A crop is shifted within its canvas: of {self.canvas_side} pixels (shorter_side + 2 * margin), "
                f"{self.input_side} leave room for {room} each way; translate is {self.translate}. "
                "Raise margin or shorter_side, or lower translate."
            )
        if self.crop != "shift" and (self.warps or self.translate or self.margin):
            raise BadRecipe(
                f"Margin, translate, rotate, zoom, shear and stretch belong to crops that are shifted; crop is "
                f"{self.crop!r}. Leave them out, or take crop shift."
            )
        if self.scale_jitter and (self.crop != "anywhere" or self.scale_jitter[0] < self.input_side):
            raise BadRecipe(
                f"Scale jitter draws shorter sides that crops of {self.input_side} pixels are cut from anywhere in; "
                f"scale_jitter is {self.scale_jitter} and crop {self.crop!r}. Take larger sides and crop anywhere."
            )

    @property
    def canvas_side(self) -> int:
        """Pixels of the shorter side that crops are cut from."""
        return self.shorter_side + 2 * self.margin

    @property
    def warps(self) -> bool:
        """Whether pictures are turned, scaled, sheared or stretched."""
        return bool(self.rotate or self.shear or self.zoom > 1 or self.stretch > 1)

    def smoke(self) -> "Recipe":
        """The same for one step of two pictures: whether everything fits together, in seconds."""
        quiet = {"schedule": "constant", "milestones": (), "warmup": 0, "validation": 0}
        return replace(self, epochs=1, batch_size=2, steps=1, **quiet)

    def as_dict(self) -> dict[str, Any]:
        """Field -> value, fit for JSON."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return plain | {"options": dict(self.options)}


def _check(name: str, value: Any, kind: Any, bounds: Bounds | None) -> None:
    """Raises BadRecipe where `value` is not one that the field `name` may have."""
    if get_origin(kind) is Literal:
        bounds = Bounds(" or ".join(get_args(kind)), lambda value: value in get_args(kind))
    if bounds is not None and not bounds.allow(value):
        raise BadRecipe(f"{name} is {bounds.words}; {value} came. Give it such a value.")
