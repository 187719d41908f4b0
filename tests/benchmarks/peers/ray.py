"""Ray Serve: a deployment of one replica, its method batched, bodies taken as bytes over HTTP."""

import os
import signal
import threading

import numpy as np
from ray import serve
from ray.serve.schema import LoggingConfig
from starlette.requests import Request
from starlette.responses import Response

from tests.benchmarks.peers.served import Network, Served

QUIET = LoggingConfig(enable_access_log=False, log_level="WARNING")
SERVED = Served.from_environment()


@serve.deployment(num_replicas=1, max_ongoing_requests=1024, logging_config=QUIET)
class Classify:
    """Decodes each request as it comes, and runs what has gathered."""

    def __init__(self) -> None:
        self.network = Network(SERVED)

    async def __call__(self, request: Request) -> Response:
        rows = SERVED.rows(await request.body())
        answer = await self.answers(rows)
        return Response(answer.tobytes(), media_type="application/octet-stream")

    @serve.batch(max_batch_size=SERVED.max_batch_size, batch_wait_timeout_s=SERVED.max_wait_seconds)
    async def answers(self, rows: list[np.ndarray]) -> list[np.ndarray]:
        """Of requests, each uint8 [views, height, width, channels]: float32 [classes] each."""
        return list(self.network.answers(np.concatenate(rows)))


if __name__ == "__main__":
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.set())
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["PORT"])}, logging_config=QUIET)
    serve.run(Classify.bind(), route_prefix="/predict")
    stopping.wait()
    serve.shutdown()
