"""What may be asked of engines, in the words of settings and of models.yaml."""

from typing import Literal

EngineName = Literal["auto", "tensorflow", "openvino"]
"""auto is the fastest of those that are installed."""

PrecisionName = Literal["published", "float32", "bfloat16", "int8"]
"""published is float32, or int8 where `tencrop quantize` wrote the version."""
