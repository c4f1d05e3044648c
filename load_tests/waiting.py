"""Waiting for another process."""

from __future__ import annotations

import time
from collections.abc import Callable


class NeverSo(AssertionError):
    """What was waited for did not happen in time."""


def poll(condition: Callable[[], bool], limit_s: float = 30.0, period_s: float = 0.02) -> float:
    """Ask until it is so; the seconds that it took.

    Raises:
        NeverSo: it was not so within the limit.
    """
    start_s = time.monotonic()
    while not condition():
        if time.monotonic() - start_s > limit_s:
            raise NeverSo(f"not so within {limit_s:g} s")
        time.sleep(period_s)
    return time.monotonic() - start_s
