"""MLServer: a runtime of its own with adaptive batching, asked by gRPC (the open inference protocol)."""

import asyncio
import os

import numpy as np
from mlserver import MLModel, MLServer
from mlserver.settings import ModelParameters, ModelSettings, Settings
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

from tests.benchmarks.peers.served import Network, Served


class Classify(MLModel):
    """An element of a request's input is a file, or the bytes of crops; requests come together."""

    async def load(self) -> bool:
        self.served = Served.from_environment()
        self.network = Network(self.served)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        (asked,) = payload.inputs
        rows = np.concatenate([self.served.rows(body) for body in asked.data])
        answers = self.network.answers(rows)
        output = ResponseOutput(
            name="answer", shape=list(answers.shape), datatype="FP32", data=answers.ravel().tolist()
        )
        return InferenceResponse(model_name=self.name, outputs=[output])


if __name__ == "__main__":
    served = Served.from_environment()
    port, http_port, metrics_port = (int(port) for port in os.environ["PORT"].split(","))
    settings = Settings(
        host="127.0.0.1",
        grpc_port=port,
        http_port=http_port,
        metrics_port=metrics_port,
        parallel_workers=0,
        grpc_max_message_length=-1,
        logging_settings={
            "version": 1,
            "disable_existing_loggers": False,
            "loggers": {"mlserver": {"level": "WARNING"}},
        },
    )
    network = ModelSettings(
        name="network",
        implementation=Classify,
        max_batch_size=served.max_batch_size,
        max_batch_time=served.max_wait_seconds,
        parameters=ModelParameters(),
    )
    asyncio.run(MLServer(settings).start([network]))
