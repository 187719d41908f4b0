"""What a layer computes with that neither its name nor its weights' shapes say: strides, an epsilon, and so on."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from training.weights.origin import AUXILIARY

Settings = Mapping[str, Any]
"""Name of a setting, one of SETTINGS -> its value, as JSON has it."""

SETTINGS = (
    *("strides", "padding", "dilation_rate", "groups", "pool_size"),
    *("epsilon", "constants", "activation", "negative_slope", "max_value", "threshold"),
)


def of(model: Mapping[str, Any], name: str) -> dict[str, Settings]:
    """Layer's name -> its settings, of the layers that have any: of the model called `name` that is in
    `model`, or of all layers in there where none is called so.

    `model` is a config as Keras writes it in JSON; one that lists no layers, a subclassed model's, has none.
    """
    models = list(_models(model))
    models = [each for each in models if each["name"] == name] or models
    found = {layer["config"]["name"]: _settings(layer["config"]) for each in models for layer in each["layers"]}
    return {layer: settings for layer, settings in found.items() if settings}


def differences(saved: Mapping[str, Settings], network: keras.Model) -> list[str]:
    """Where layers with the settings `saved` compute otherwise than those of `network`, in words.

    Auxiliary heads may be in `saved` alone. A setting that one of both does not know is not compared.
    """
    ours = of(json.loads(network.to_json()), network.name)
    return [words for layer in {**ours, **saved} for words in _differences(layer, saved.get(layer), ours.get(layer))]


def _models(layer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The configs of `layer` and of what is inside it, where they are models with lists of layers."""
    config = layer["config"]
    if "layers" in config:
        yield config
        for each in config["layers"]:
            yield from _models(each)


def _settings(config: Mapping[str, Any]) -> Settings:
    found = {name: config[name] for name in SETTINGS if name in config}
    if isinstance(found.get("padding"), list):
        # What is added below and on the right, to fill a last window, hangs on the size of the pictures.
        leading = [before for before, _ in found["padding"]]
        return {"padding": leading} if any(leading) else {}
    if isinstance(found.get("activation"), dict):  # a function that is not Keras' own
        found["activation"] = found["activation"]["config"]
    return found


def _differences(layer: str, saved: Settings | None, ours: Settings | None) -> list[str]:
    if saved is None:
        return [f"{layer} is not in the file"]
    if ours is None:
        return [] if AUXILIARY.match(layer) else [f"{layer} is in the file alone"]
    return [
        f"{layer} has {name} {saved[name]} in the file, {value} in the network"
        for name, value in ours.items()
        if name in saved and saved[name] != value
    ]
