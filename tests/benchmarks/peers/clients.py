"""How peers are asked: raw bodies over HTTP, or the open inference protocol over gRPC. Both give float32 [classes]."""

import struct
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import aiohttp
import numpy as np
from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from numpy.typing import NDArray

from tests.benchmarks.dialling import dial
from tests.benchmarks.peers.served import Served

PROTO = Path(__file__).with_name("open_inference.proto")

Ask = Callable[[], Awaitable[NDArray[np.float32]]]


@asynccontextmanager
async def http(port: int, served: Served, body: bytes) -> AsyncIterator[Ask]:
    """Asks by a POST of `body`, over as many connections as there are callers."""
    headers = {"Content-Type": "application/octet-stream"}
    url = f"http://127.0.0.1:{port}/predict"

    async def ask() -> NDArray[np.float32]:
        async with session.post(url, data=body, headers=headers) as response:
            response.raise_for_status()
            return np.frombuffer(await response.read(), np.float32)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield ask


@asynccontextmanager
async def open_inference(port: int, served: Served, body: bytes) -> AsyncIterator[Ask]:
    """Asks by ModelInfer, as one file of BYTES or as crops of UINT8."""
    asked, answered = (_messages()[f"inference.{name}"] for name in ("ModelInferRequest", "ModelInferResponse"))
    request = asked(model_name="network")
    if served.views > 1:
        request.inputs.add(name="asked", datatype="UINT8", shape=(1, served.views, *served.shape))
        request.raw_input_contents.append(body)
    else:
        request.inputs.add(name="asked", datatype="BYTES", shape=(1, 1))
        request.raw_input_contents.append(struct.pack("<I", len(body)) + body)

    async def ask() -> NDArray[np.float32]:
        response = await infer(request)
        if response.raw_output_contents:
            return np.frombuffer(response.raw_output_contents[0], np.float32)
        return np.array(response.outputs[0].contents.fp32_contents, np.float32)

    async with dial(port) as channel:
        infer = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=asked.SerializeToString,
            response_deserializer=answered.FromString,
        )
        yield ask


@cache
def _messages() -> Mapping[str, type]:
    """The messages of PROTO, by name. It is compiled in another process: protoc and TensorFlow in one crash."""
    with tempfile.NamedTemporaryFile() as out:
        command = (sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO.parent}", f"--descriptor_set_out={out.name}")
        subprocess.run([*command, str(PROTO)], check=True)
        (described,) = FileDescriptorSet.FromString(Path(out.name).read_bytes()).file
    return message_factory.GetMessages([described])
