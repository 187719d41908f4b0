"""A network in 8 bits, from what its activations are on some pictures: post-training quantisation by NNCF."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serving.models.engines.openvino import openvino, telemetry_kept_out
from serving.models.engines.quiet import chatter_kept_back

with telemetry_kept_out(), chatter_kept_back():
    import nncf


def quantize(saved_model: Path, rows: NDArray[np.uint8]) -> openvino.Model:
    """The SavedModel in 8 bits. Weights have a range a channel; those of activations cover what `rows`, uint8
    [N, height, width, channels], make them, and what that does to the next layer's mean is taken off its bias (Nagel
    et al. 2019, Data-Free Quantization Through Weight Equalization and Bias Correction, section 4.2).
    """
    network = openvino.Core().read_model(saved_model)
    return nncf.quantize(network, nncf.Dataset([row[None] for row in rows]), subset_size=len(rows))
