"""How peers are asked: raw bodies over HTTP, or the open inference protocol over gRPC. Both give float32 [classes]."""

import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import numpy as np
from numpy.typing import NDArray

from protos import open_inference_pb2 as pb
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from tests.benchmarks.dialling import dial
from tests.benchmarks.peers.served import Served

Ask = Callable[[], Awaitable[NDArray[np.float32]]]

_IDLE_SECONDS = 1.0
"""Connections that rested for longer are not used again: servers close them, some after five seconds."""


@asynccontextmanager
async def http(port: int, served: Served, body: bytes) -> AsyncIterator[Ask]:
    """Asks by a POST of `body`, over as many connections as there are callers."""
    headers = {"Content-Type": "application/octet-stream"}
    url = f"http://127.0.0.1:{port}/predict"

    async def ask() -> NDArray[np.float32]:
        async with session.post(url, data=body, headers=headers) as response:
            response.raise_for_status()
            return np.frombuffer(await response.read(), np.float32)

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield ask


@asynccontextmanager
async def open_inference(port: int, served: Served, body: bytes, crops: str = "UINT8") -> AsyncIterator[Ask]:
    """Asks by ModelInfer: one file of BYTES, or `crops` as a tensor of UINT8, or of one element of BYTES."""
    request = pb.ModelInferRequest(model_name="network")
    if served.views > 1 and crops == "UINT8":
        request.inputs.add(name="asked", datatype="UINT8", shape=(1, served.views, *served.shape))
        request.raw_input_contents.append(body)
    else:
        request.inputs.add(name="asked", datatype="BYTES", shape=(1, 1))
        request.raw_input_contents.append(struct.pack("<I", len(body)) + body)

    async def ask() -> NDArray[np.float32]:
        response = await stub.ModelInfer(request)
        if response.raw_output_contents:
            return np.frombuffer(response.raw_output_contents[0], np.float32)
        return np.array(response.outputs[0].contents.fp32_contents, np.float32)

    async with dial(port) as channel:
        stub = GRPCInferenceServiceStub(channel)
        yield ask
