"""Servers in processes of their own, which end with the block that started them, and so does all that they started."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

_MARK, _RUN_MARK = "TENCROP_BENCHMARK_SERVER", "TENCROP_BENCHMARK_RUN"
"""Environment variables that every descendant of a server, or of a benchmark, has, whoever its parent is by now."""
_PATIENCE = 15.0

T = TypeVar("T")


class NeverAnswered(RuntimeError):
    """A server ended, or its time was over, before it answered."""


class Process:
    """A server that runs, and what it printed."""

    def __init__(self, started: subprocess.Popen, log: Path) -> None:
        self._started, self._log = started, log

    async def first_answer(self, ask: Callable[[], Awaitable[T]], seconds: float = 240.0) -> T:
        """What `ask` gives once the server answers. Raises NeverAnswered where it does not within `seconds`."""
        end = time.monotonic() + seconds
        while True:
            try:
                return await ask()
            except Exception as error:  # whatever a client raises while nobody answers yet
                if self._started.poll() is not None:
                    raise NeverAnswered(f"It ended with {self._started.returncode}: {self._last_words()}") from error
                if time.monotonic() > end:
                    raise NeverAnswered(
                        f"No answer came in {seconds:.0f} s: {str(error)[:200]!r}. {self._last_words()}"
                    ) from error
            await asyncio.sleep(0.2)

    def resident_bytes(self) -> int:
        """Of the server's own process, what is in memory now."""
        status = Path(f"/proc/{self._started.pid}/status").read_text().splitlines()
        (line,) = (line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-3:])[-300:] or "it printed nothing."


@contextmanager
def running(command: Sequence[object], log: Path, environment: Mapping[str, object] | None = None) -> Iterator[Process]:
    """Runs `command` inside the block, with `environment` beside this process' own; what it prints goes to `log`."""
    mark = uuid.uuid4().hex
    added = {name: str(value) for name, value in (environment or {}).items()}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **added, _MARK: mark},
            start_new_session=True,  # an interrupt from the terminal is for the benchmark, which ends its servers
        )
    try:
        yield Process(process, log)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        _kill(_MARK, mark)
        process.wait()


def ended_well(module: str, *arguments: str, minutes: float) -> bool:
    """Whether the benchmark `module`, in a process of its own, ended by itself within `minutes`, and with 0.

    One that does not end is interrupted. Whatever becomes of it, even if it crashes, its servers end with it.
    """
    mark = uuid.uuid4().hex
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    process = subprocess.Popen(command, env={**os.environ, _RUN_MARK: mark})
    try:
        return process.wait(60 * minutes) == 0
    except subprocess.TimeoutExpired:
        print(f"{module} {' '.join(arguments)} took more than {minutes:.0f} minutes.", file=sys.stderr)
        return False
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2 * _PATIENCE)
        _kill(_RUN_MARK, mark)
        process.wait()


def free_ports(count: int) -> list[int]:
    """So many ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _kill(variable: str, mark: str) -> None:
    """Ends every process that has `mark` in `variable`."""
    for pid in _marked(f"{variable}={mark}"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _marked(setting: str) -> list[int]:
    """The processes whose environment has `setting`, by its descent."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = path.read_bytes()
        except OSError:  # gone meanwhile, or somebody else's
            continue
        if setting.encode() in environment.split(b"\0"):
            found.append(int(path.parent.name))
    return found
