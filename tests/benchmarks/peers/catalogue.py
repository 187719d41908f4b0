"""Whom we are compared with, as their authors' documents would have them serve one network on one machine."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import NamedTuple

from tests.benchmarks.peers import clients
from tests.benchmarks.peers.clients import Ask
from tests.benchmarks.peers.served import Served

Client = Callable[[int, Served, bytes], AbstractAsyncContextManager[Ask]]


class Peer(NamedTuple):
    """A server of other people's. Its module has the same name."""

    title: str
    requirements: tuple[str, ...]
    """What its environment has beside what all have."""
    client: Client
    ports: int
    """That it listens on; the first is asked."""
    configuration: str
    """In words, for the table."""


COMMON = ("tensorflow==2.21.0", "pillow")
"""What every peer needs to run the network and to decode."""

PEERS = {
    "litserve": Peer(
        "LitServe",
        ("litserve==0.2.19",),
        clients.http,
        1,
        "one worker, one API server, fast queue, max_batch_size and batch_timeout; raw bodies over HTTP",
    ),
    "mlserver": Peer(
        "MLServer",
        ("mlserver==1.7.1",),
        partial(clients.open_inference, crops="BYTES"),  # it makes a list of Python's integers of a tensor of UINT8
        3,
        "a custom runtime in the server's process (parallel_workers 0), max_batch_size and max_batch_time; gRPC",
    ),
    "bentoml": Peer(
        "BentoML",
        ("bentoml==1.4.40",),
        clients.http,
        1,
        "a service that decodes and one whose API is batchable, a worker each; raw bodies over HTTP",
    ),
    "ray": Peer(
        "Ray Serve",
        ("ray[serve]==2.60.0",),
        clients.http,
        1,
        "one replica, serve.batch with max_batch_size and batch_wait_timeout_s; raw bodies over HTTP",
    ),
    "pytriton": Peer(
        "PyTriton",
        ("nvidia-pytriton==0.7.0",),
        clients.open_inference,
        3,
        "one inference callable, DynamicBatcher with max_queue_delay; gRPC",
    ),
}
