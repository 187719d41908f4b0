"""`tencrop serve` as a process of its own, as a shell or Kubernetes runs it."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TREE = Path(__file__).parents[2]
PATIENCE = 90.0
"""Seconds that a process may take to load TensorFlow, on a machine that is busy with something else."""


class ServerProcess:
    """A process that serves, and what it has printed."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.printed: list[str] = []
        self._process = process
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.grpc_port, self.http_port = map(int, self._wait_for(r"gRPC on .*:(\d+), metrics on http://.*:(\d+)/"))

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def metric(self, start: str) -> float:
        """The sum of the samples of /metrics whose lines start so."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=PATIENCE) as response:
            lines = response.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(start))

    def exit_code(self, within: float = PATIENCE) -> int:
        """Raises subprocess.TimeoutExpired where the process does not end."""
        code = self._process.wait(within)
        self._reader.join()
        return code

    def close(self) -> None:
        self._process.kill()
        self.exit_code()
        self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.printed.append(line.rstrip("\n"))
            self._lines.put(line)
        self._lines.put(None)

    def _wait_for(self, pattern: str) -> tuple[str, ...]:
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            if found := re.search(pattern, line):
                return found.groups()
        raise AssertionError("the server ended: " + "\n".join(self.printed))


@contextmanager
def tencrop_serve(models: Path, **settings: object) -> Iterator[ServerProcess]:
    """Runs `tencrop serve` on free ports inside the block; nothing is left of it afterwards."""
    options = {"models": models, "grpc_port": 0, "http_port": 0, "admin_port": 0, **settings}
    command = [sys.executable, "-m", "tencrop", "serve"]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    process = subprocess.Popen(
        command,
        cwd=TREE,
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        server = ServerProcess(process)
    except BaseException:
        process.kill()
        process.wait()
        raise
    try:
        yield server
    finally:
        server.close()
