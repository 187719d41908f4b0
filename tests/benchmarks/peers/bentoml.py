"""BentoML: a service that decodes, and one behind it whose API is batchable, as its documents compose them."""

import contextlib
import os
from typing import Annotated

import aiohttp
import bentoml
import numpy as np
from bentoml.validators import ContentType

from tests.benchmarks.peers.served import Network, Served

SERVED = Served.from_environment()
QUIET = {"access": {"enabled": False}}
TRAFFIC = {"timeout": 120, "max_concurrency": 1024}
TRIES = 3
"""One service closes connections that rested for five seconds, and the other takes them for open."""


# After max_requests BentoML closes the connections to this service, and with them the requests that are on them.
@bentoml.service(workers=1, traffic=TRAFFIC, logging=QUIET, runner_connection={"max_requests": 10**9, "max_age": 1e9})
class Batched:
    """Runs requests together."""

    def __init__(self) -> None:
        self.network = Network(SERVED)

    @bentoml.api(batchable=True, max_batch_size=max(2, SERVED.max_batch_size), max_latency_ms=120_000)
    def answers(self, requests: np.ndarray) -> np.ndarray:
        """uint8 [requests, views, height, width, channels] -> float32 [requests, classes]."""
        return self.network.answers(requests.reshape(-1, *SERVED.shape))


@bentoml.service(workers=1, traffic=TRAFFIC, logging=QUIET)
class Classify:
    """Decodes a request, and has it run."""

    batched = bentoml.depends(Batched)

    @bentoml.api(route="/predict")
    async def predict(
        self, body: Annotated[bytes, ContentType("application/octet-stream")], /
    ) -> Annotated[bytes, ContentType("application/octet-stream")]:
        rows = SERVED.rows(body)
        for _ in range(TRIES):
            with contextlib.suppress(aiohttp.ClientOSError):
                return (await self.batched.to_async.answers(rows[None])).tobytes()
        raise ConnectionError(f"The service that runs the network is asked {TRIES} times; no connection held.")


if __name__ == "__main__":
    bentoml.serve(f"{__spec__.name}:Classify", port=int(os.environ["PORT"]), host="127.0.0.1", blocking=True)
