"""A process's memory, and whether it grows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MIB = 1 << 20


def rss_bytes(pid: int) -> int:
    """Resident memory of a process (proc(5), VmRSS)."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc", str(pid), "status").read_text())
    assert found is not None, f"process {pid} has ended"
    return int(found[1]) << 10


def growth(points: Sequence[tuple[float, float]], span: float) -> float:
    """Growth over a span as a share of the mean, by least squares.

    >>> round(growth([(0, 99), (1, 100), (2, 101)], span=10), 3)
    0.1
    """
    at, values = np.array(points, float).T
    slope = np.polyfit(at, values, 1)[0]
    return float(slope * span / values.mean())
