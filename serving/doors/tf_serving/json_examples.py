"""Examples in JSON, and what Classify and Regress say of them: https://www.tensorflow.org/tfx/serving/api_rest."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.doors.tf_serving.apis import Example, Feature, classification_pb2, input_pb2, regression_pb2
from serving.doors.tf_serving.json_tensors import bytes_of
from serving.errors import InvalidRequest

Json = Any


def input_of(document: Mapping[str, Json]) -> input_pb2.Input:
    """The examples in `document`, and the context that they share. Raises InvalidRequest."""
    listed = document.get("examples")
    if not isinstance(listed, list) or not listed:
        raise InvalidRequest(f"A request has a list 'examples' of one object at least; it has {sorted(document)}.")
    given = input_pb2.Input()
    if "context" in document:
        given.example_list_with_context.context.CopyFrom(_example(document["context"]))
        given.example_list_with_context.examples.extend(map(_example, listed))
    else:
        given.example_list.examples.extend(map(_example, listed))
    return given


def classified(result: classification_pb2.ClassificationResult) -> list[Json]:
    """[[label, score], ...] for each example."""
    return [[[each.label, _short(each.score)] for each in every.classes] for every in result.classifications]


def regressed(result: regression_pb2.RegressionResult) -> list[Json]:
    """A value for each example."""
    return [_short(each.value) for each in result.regressions]


def _example(features: Json) -> Example:
    if not isinstance(features, dict):
        raise InvalidRequest(f"An example is a JSON object of features; a {type(features).__name__} came.")
    example = Example()
    for name, value in features.items():
        values = value if isinstance(value, list) else [value]
        example.features.feature[name].CopyFrom(_feature(name, values))
    return example


def _feature(name: str, values: Sequence[Json]) -> Feature:
    """Of integers and booleans, of decimal numbers, or of strings and bytes, and not mixed: JSON's 1 is an integer."""
    feature = Feature()
    try:
        if all(isinstance(value, int) for value in values):
            feature.int64_list.value.extend(map(int, values))
        elif all(isinstance(value, float) for value in values):
            feature.float_list.value.extend(values)
        else:
            feature.bytes_list.value.extend(map(bytes_of, values))
    except (ValueError, InvalidRequest) as error:
        raise InvalidRequest(
            f"A feature holds integers of 64 bits, decimal numbers, or strings, and all of one kind; {name!r} does "
            f"not ({error})."
        ) from None
    return feature


def _short(value: float) -> float:
    """A float32 as a number no longer than tells it from its neighbours."""
    return float(str(np.float32(value)))
