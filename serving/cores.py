"""How many cores this process may keep busy."""

import math
import os
from pathlib import Path


def cores(proc: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> int:
    """Of the cores that the process may run on, as many as the CPU limits of its cgroups pay for, a part counted
    as one: in a container limited to 1.5 CPUs of a host with 64 cores, 2. At least 1.

    Limits are those of cgroup v2 (cpu.max) and v1 (cpu.cfs_quota_us), of each cgroup from the process' own up.
    """
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = [limit for cgroup in _cgroups(proc, root) if (limit := _limit(cgroup)) is not None]
    return max(1, math.ceil(min([here, *limits])))


def _cgroups(proc: Path, root: Path) -> list[Path]:
    """The directories of the cgroups that limit the process' CPU. Where a container sees its own as the root, the
    path that `proc` says may not be there."""
    try:
        lines = [line.split(":", 2) for line in proc.read_text().splitlines()]
    except OSError:
        return []
    found = []
    for _, controllers, path in lines:
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "cpu" if controllers else root  # where v1 has it, or a link to it
        own = top / path.lstrip("/")
        found += [each for each in (own, *own.parents) if each.is_relative_to(top)]
    return found


def _limit(cgroup: Path) -> float | None:
    """CPUs that `cgroup` is limited to; None where it is not."""
    try:
        if (cgroup / "cpu.max").exists():
            quota, period = (cgroup / "cpu.max").read_text().split()
        else:
            quota, period = ((cgroup / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError):  # no such file; or "max"
        return None
