"""What processes have used so far, from the kernel."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds and the largest resident memory of one process."""

    cpu_s: float
    peak_mib: float


def usage_of(process: int) -> Usage:
    """Since the process began.

    Raises:
        FileNotFoundError: it has ended.
    """
    # proc(5): the command in brackets may hold anything, so count from behind it.
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return Usage((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), _peak_mib(process))


def _peak_mib(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
