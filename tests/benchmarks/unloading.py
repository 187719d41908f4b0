"""Measures whether memory returns: a version is loaded and unloaded again and again in one process.

python -m tests.benchmarks.unloading models/lenet5-a/1 [tensorflow | openvino]
"""

import asyncio
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from serving.metrics import Metrics
from serving.models.lifecycle.memory import give_back_memory
from serving.models.servable import Batching, Servable
from training.markdown import heading, row

CYCLES = 20
ENGINES = ("tensorflow", "openvino")


def main(directory: str, engine: str | None = None) -> None:
    """Prints resident megabytes after each cycle of one engine; or a table of all, each in a process of its own."""
    if engine:
        for resident in asyncio.run(_cycles(Path(directory), engine)):
            print(resident)
        return
    print("\n".join(heading("resident MB after cycle", ["1", "2", "5", "10", str(CYCLES)])))
    for name in ENGINES:
        command = [sys.executable, "-m", "tests.benchmarks.unloading", directory, name]
        resident = list(map(int, subprocess.run(command, capture_output=True, check=True).stdout.split()))
        print(row(name, [f"{resident[cycle - 1] / 1e6:,.1f}" for cycle in (1, 2, 5, 10, CYCLES)]))


async def _cycles(directory: Path, engine: str) -> list[int]:
    """Bytes in memory once a version has gone, each time."""
    from serving.models.engines.loading import EngineLoader, load_dense

    engines, dense = EngineLoader(engine), partial(load_dense, threads=1)
    observer = Metrics().queue_observer("model", 1)
    resident = []
    for _ in range(CYCLES):
        servable = Servable.load(directory, engines, Batching.of(), time.monotonic, observer, dense)
        await servable.close(patience=None)
        del servable
        give_back_memory()
        resident.append(_resident())
    return resident


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(*sys.argv[1:])
