"""The machine: what it is called, and which of its cores does what."""

from __future__ import annotations

import datetime as dt
import functools
import os
import platform
from importlib import metadata
from pathlib import Path

_PACKAGES = ("torch", "grpcio", "kserve", "uvloop", "numpy")


@functools.cache
def usable_cores() -> tuple[int, ...]:
    """The cores that this process might run on before it was pinned to one."""
    return tuple(sorted(os.sched_getaffinity(0)))


def pin(process: int, number: int) -> None:
    """Keep a process (0: this one) on the core of this number among the usable ones.

    Nothing happens where there is one core. Threads that exist already stay where they are, so pin a
    process right after its start.
    """
    cores = usable_cores()
    if len(cores) > 1:
        os.sched_setaffinity(process, {cores[number % len(cores)]})


def describe() -> dict[str, str]:
    """Processor, cores, versions and date, for whoever reads the figures later."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES)
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "software": f"Python {platform.python_version()}, {versions}, {platform.system()}",
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
