"""LitServe: a LitAPI whose requests are batched, on its fast queue (ZeroMQ), with bodies taken as bytes."""

import os
from typing import Annotated

import litserve
import numpy as np
from fastapi import Body, Response

from tests.benchmarks.peers.served import Network, Served


class Classify(litserve.LitAPI):
    """Decode, batch, predict, unbatch."""

    def setup(self, device: str) -> None:
        self.served = Served.from_environment()
        self.network = Network(self.served)

    def decode_request(self, request: Annotated[bytes, Body(media_type="application/octet-stream")]):
        return self.served.rows(request)

    def batch(self, inputs):
        return np.concatenate(inputs)

    def predict(self, rows):
        return self.network.answers(rows)

    def unbatch(self, output):
        return list(output)

    def encode_response(self, output) -> Response:
        return Response(output.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    served = Served.from_environment()
    api = Classify(max_batch_size=served.max_batch_size, batch_timeout=served.max_wait_seconds)
    server = litserve.LitServer(api, accelerator="cpu", devices=1, workers_per_device=1, fast_queue=True, timeout=120)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
    )
