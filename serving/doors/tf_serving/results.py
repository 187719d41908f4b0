"""What signatures for Classify and Regress take and give, as tensorflow/python/saved_model/signature_constants.py
names it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.doors.tf_serving.apis import Example, classification_pb2, regression_pb2
from serving.errors import InvalidRequest
from serving.models.signatures import Signature, Tensors

INPUTS = "inputs"
CLASSES = "classes"
SCORES = "scores"
OUTPUTS = "outputs"


def classifies(signature: Signature) -> bool:
    """Whether Classify can ask it: serialised examples in; classes, scores, or both out, of at most two outputs."""
    return takes_examples(signature) and len(signature.outputs) <= 2 and bool(of_classes(signature))


def of_classes(signature: Signature) -> list[str]:
    """The outputs that Classify tells of."""
    return [name for name in (CLASSES, SCORES) if name in signature.outputs]


def check_regresses(signature: Signature) -> None:
    """Raises InvalidRequest unless Regress can ask it: serialised examples in, one output out."""
    if not (takes_examples(signature) and signature.outputs.keys() == {OUTPUTS}):
        raise InvalidRequest(
            f"A signature that Regress can ask takes {INPUTS!r}, strings, and gives {OUTPUTS!r}; {signature.name!r} "
            f"takes {sorted(signature.inputs)} and gives {sorted(signature.outputs)}. Ask it by Predict."
        )


def serialised(examples: list[Example]) -> dict[str, NDArray[Any]]:
    """`examples` as the input of such a signature, strings [examples]."""
    strings = np.empty(len(examples), object)
    strings[:] = [each.SerializeToString() for each in examples]
    return {INPUTS: strings}


def classifications(outputs: Tensors, count: int) -> classification_pb2.ClassificationResult:
    """One list of classes an example, in the signature's order. Raises InvalidRequest unless every output is
    [count, classes], classes strings and scores float32.
    """
    _check_types(outputs, {CLASSES: np.dtype(object), SCORES: np.dtype(np.float32)})
    shapes = {array.shape for array in outputs.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or shape[0] != count:
        raise _misshapen(outputs, f"[{count}, classes]")
    labels = outputs.get(CLASSES, np.full(shape, b"", object))
    scores = outputs.get(SCORES, np.zeros(shape, np.float32))
    result = classification_pb2.ClassificationResult()
    for names, values in zip(labels.tolist(), scores.tolist(), strict=True):
        classes = result.classifications.add().classes
        for name, value in zip(names, values, strict=True):
            classes.add(label=name.decode(errors="replace"), score=value)
    return result


def regressions(outputs: Tensors, count: int) -> regression_pb2.RegressionResult:
    """One value an example. Raises InvalidRequest unless the output is float32 [count] or [count, 1]."""
    _check_types(outputs, {OUTPUTS: np.dtype(np.float32)})
    values = outputs[OUTPUTS]
    if values.shape not in ((count,), (count, 1)):
        raise _misshapen(outputs, f"[{count}] or [{count}, 1]")
    result = regression_pb2.RegressionResult()
    for value in values.reshape(-1).tolist():
        result.regressions.add(value=value)
    return result


def takes_examples(signature: Signature) -> bool:
    """Whether its one input is serialised examples."""
    return signature.inputs.keys() == {INPUTS} and signature.inputs[INPUTS].dtype == "DT_STRING"


def _check_types(outputs: Tensors, types: Mapping[str, np.dtype]) -> None:
    for name, array in outputs.items():
        if array.dtype != types[name]:
            raise InvalidRequest(
                f"Of a signature that is asked about examples, {CLASSES!r} are strings, {SCORES!r} and {OUTPUTS!r} "
                f"float32; it gave {name!r} as {array.dtype}. Ask it by Predict."
            )


def _misshapen(outputs: Tensors, wanted: str) -> InvalidRequest:
    came = {name: list(array.shape) for name, array in outputs.items()}
    return InvalidRequest(f"To these examples a signature gives {wanted}; it gave {came}. Ask it by Predict.")
