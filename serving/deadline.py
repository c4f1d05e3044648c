"""The moment after which nobody waits for an answer any more."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from contract.errors import DeadlineExceeded

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """A point on the monotonic clock, in seconds; it means nothing in another process.

    >>> Deadline.after(60.0).expired, Deadline.after(0.0).expired
    (False, True)
    """

    end_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline this many seconds from now."""
        return cls(time.monotonic() + seconds)

    @classmethod
    def never(cls) -> Deadline:
        """A deadline that does not pass, for calls outside a request."""
        return cls(math.inf)

    def remaining_s(self) -> float:
        """Seconds left, 0 once it has passed, infinity for `never`."""
        return max(0.0, self.end_s - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether the moment has passed."""
        return time.monotonic() >= self.end_s

    def check(self) -> None:
        """Refuse to start work that nobody would wait for.

        Raises:
            DeadlineExceeded: the moment has passed.
        """
        if self.expired:
            raise DeadlineExceeded("the deadline passed before the work began")


async def within(deadline: Deadline, work: Awaitable[Answer]) -> Answer:
    """The result of `work`, which is cancelled when the deadline passes.

    Raises:
        DeadlineExceeded: no result before the deadline.
    """
    limit_s = deadline.remaining_s()
    scope = asyncio.timeout(None if math.isinf(limit_s) else limit_s)
    try:
        async with scope:
            return await work
    except TimeoutError:
        # A TimeoutError of the work itself is not ours to rename.
        if not scope.expired():
            raise
        raise DeadlineExceeded(f"no answer within {limit_s * 1000:.0f} ms") from None
