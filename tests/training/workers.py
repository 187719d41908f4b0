"""Two processes that train together over loopback, as two machines would."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import NamedTuple

BOUND = 300
"""Seconds after which processes are killed: far more than a busy machine needs."""


class Ended(NamedTuple):
    """How a process came to its end."""

    code: int
    output: str
    errors: str


def run_two(code: str) -> list[Ended]:
    """Runs `code` in two processes that find each other by TF_CONFIG, until both have ended."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    configs = [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}) for index in (0, 1)
    ]
    with ExitStack() as stack:
        workers = [stack.enter_context(start(code, TF_CONFIG=config)) for config in configs]
        for worker in workers:
            stack.callback(worker.kill)
        return [wait(worker) for worker in workers]


def start(code: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **environment, "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait(process: subprocess.Popen) -> Ended:
    output, errors = process.communicate(timeout=BOUND)
    return Ended(process.returncode, output, errors)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
