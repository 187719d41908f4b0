"""Questions to the models of tests/serving/choir.py by the Open Inference Protocol, and what answers hold."""

import struct

import numpy as np

from protos import open_inference_pb2 as pb
from tests.serving.choir import SHADES_2
from tests.serving.picture_files import file_of, noise
from tests.serving.tiny import TinyModel

PICTURE = noise(16, 20)
ENCODED = file_of(PICTURE)


def rows_for(model: TinyModel = SHADES_2, count: int = 3) -> np.ndarray:
    """Rows that `model` takes, all different."""
    return np.random.default_rng(7).integers(0, 256, (count, *model.input_shape), np.uint8)


def as_raw(*files: bytes) -> bytes:
    """Elements of BYTES, each behind its length."""
    return b"".join(struct.pack("<I", len(file)) + file for file in files)


def parameters(**values) -> dict[str, pb.InferParameter]:
    """As gRPC has them."""
    fields = {bool: "bool_param", int: "int64_param", str: "string_param", float: "double_param"}
    return {name: pb.InferParameter(**{fields[type(value)]: value}) for name, value in values.items()}


def about_pictures(
    *files: bytes, model: str = "shades", version: str = "", id: str = "", **chosen
) -> pb.ModelInferRequest:
    """Asks about encoded pictures; `chosen` are the request's parameters."""
    image = pb.ModelInferRequest.InferInputTensor(name="image", datatype="BYTES", shape=[len(files)])
    return pb.ModelInferRequest(
        model_name=model,
        model_version=version,
        id=id,
        inputs=[image],
        raw_input_contents=[as_raw(*files)],
        parameters=parameters(**chosen),
    )


def about_rows(rows: np.ndarray, model: str = "shades", version: str = "", **chosen) -> pb.ModelInferRequest:
    """Asks about rows that are cut already."""
    pictures = pb.ModelInferRequest.InferInputTensor(name="pictures", datatype="UINT8", shape=rows.shape)
    return pb.ModelInferRequest(
        model_name=model,
        model_version=version,
        inputs=[pictures],
        raw_input_contents=[rows.tobytes()],
        parameters=parameters(**chosen),
    )


def outputs_of(response: pb.ModelInferResponse) -> dict[str, np.ndarray]:
    """Tensors by name: float32, or objects of bytes."""
    raws = response.raw_output_contents or [None] * len(response.outputs)
    return {output.name: _tensor(output, raw) for output, raw in zip(response.outputs, raws, strict=True)}


def _tensor(output: pb.ModelInferResponse.InferOutputTensor, raw: bytes | None) -> np.ndarray:
    if output.datatype == "FP32":
        listed = np.array(output.contents.fp32_contents, np.float32)
        return (listed if raw is None else np.frombuffer(raw, np.float32)).reshape(output.shape)
    elements = list(output.contents.bytes_contents if raw is None else _elements(raw))
    return np.array(elements, object).reshape(output.shape)


def _elements(raw: bytes) -> list[bytes]:
    elements = []
    while raw:
        length = int.from_bytes(raw[:4], "little")
        elements.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    return elements
