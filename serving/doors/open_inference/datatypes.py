"""The datatypes of the Open Inference Protocol, and what numpy, TensorFlow and Triton call each. Pure."""

from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from serving.errors import InvalidRequest


class Datatype(NamedTuple):
    """How elements of one type are held."""

    dtype: np.dtype[Any]
    """Objects for BYTES."""
    tensorflow: str
    """As signatures name it."""
    contents: str | None
    """The field of InferTensorContents that lists them; None for what comes raw alone."""
    triton: str
    """As configurations name it."""


def _datatype(dtype: Any, tensorflow: str, contents: str | None, triton: str) -> Datatype:
    return Datatype(np.dtype(dtype), f"DT_{tensorflow}", contents and f"{contents}_contents", f"TYPE_{triton}")


DATATYPES: dict[str, Datatype] = {
    "BOOL": _datatype("?", "BOOL", "bool", "BOOL"),
    "UINT8": _datatype("u1", "UINT8", "uint", "UINT8"),
    "UINT16": _datatype("<u2", "UINT16", "uint", "UINT16"),
    "UINT32": _datatype("<u4", "UINT32", "uint", "UINT32"),
    "UINT64": _datatype("<u8", "UINT64", "uint64", "UINT64"),
    "INT8": _datatype("i1", "INT8", "int", "INT8"),
    "INT16": _datatype("<i2", "INT16", "int", "INT16"),
    "INT32": _datatype("<i4", "INT32", "int", "INT32"),
    "INT64": _datatype("<i8", "INT64", "int64", "INT64"),
    "FP16": _datatype("<f2", "HALF", None, "FP16"),
    "FP32": _datatype("<f4", "FLOAT", "fp32", "FP32"),
    "FP64": _datatype("<f8", "DOUBLE", "fp64", "FP64"),
    "BF16": _datatype(ml_dtypes.bfloat16, "BFLOAT16", None, "BF16"),
    "BYTES": _datatype(object, "STRING", "bytes", "STRING"),
}
_BY_DTYPE = {each.dtype: name for name, each in DATATYPES.items()}
_BY_TENSORFLOW = {each.tensorflow: name for name, each in DATATYPES.items()}


def of_dtype(dtype: np.dtype[Any]) -> str:
    """The datatype of numpy's arrays of `dtype`. Raises KeyError where there is none."""
    return _BY_DTYPE[dtype]


def of_tensorflow(name: str) -> str:
    """The datatype for TensorFlow's name of a type. Raises InvalidRequest where there is none."""
    if name not in _BY_TENSORFLOW:
        raise InvalidRequest(
            f"Tensors of the Open Inference Protocol are of {', '.join(DATATYPES)}; this model has one of {name}. Ask "
            "it over TensorFlow Serving's protocol."
        )
    return _BY_TENSORFLOW[name]
