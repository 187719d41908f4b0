"""PyTriton: an inference callable behind Triton's dynamic batcher, asked by gRPC."""

import os

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from tests.benchmarks.peers.served import Network, Served

if __name__ == "__main__":
    served = Served.from_environment()
    network = Network(served)
    if served.views > 1:
        asked = Tensor(name="asked", dtype=np.uint8, shape=(served.views, *served.shape))
    else:
        asked = Tensor(name="asked", dtype=bytes, shape=(1,))

    @batch
    def classify(asked: np.ndarray) -> dict[str, np.ndarray]:
        """Files [requests, 1], or uint8 [requests, views, height, width, channels]."""
        if served.views > 1:
            rows = asked.reshape(-1, *served.shape)
        else:
            rows = np.concatenate([served.rows(body) for (body,) in asked])
        return {"answer": network.answers(rows)}

    port, http_port, metrics_port = (int(port) for port in os.environ["PORT"].split(","))
    config = TritonConfig(grpc_address="127.0.0.1", grpc_port=port, http_port=http_port, metrics_port=metrics_port)
    with Triton(config=config) as triton:
        triton.bind(
            model_name="network",
            infer_func=classify,
            inputs=[asked],
            outputs=[Tensor(name="answer", dtype=np.float32, shape=(-1,))],
            config=ModelConfig(
                max_batch_size=served.max_batch_size,
                batcher=DynamicBatcher(max_queue_delay_microseconds=round(served.max_wait_seconds * 1e6)),
            ),
        )
        triton.serve()
