"""Waiting for what another process does, with an end."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(true: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    """Ask until it is true; fails when it was not in time."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)
