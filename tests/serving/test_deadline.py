from __future__ import annotations

import asyncio

import pytest

from contract.errors import DeadlineExceeded
from serving.deadline import Deadline, within


async def test_within_returns_the_result() -> None:
    """Work that ends in time gives its result."""
    assert await within(Deadline.after(10.0), asyncio.sleep(0, "done")) == "done"


async def test_within_cancels_late_work() -> None:
    """Work that is late is cancelled, and the caller is told so."""
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(DeadlineExceeded):
        await within(Deadline.after(0.01), work())
    assert cancelled.is_set()


async def test_within_keeps_a_timeout_of_the_work_itself() -> None:
    """A TimeoutError raised by the work is not taken for the deadline."""

    async def work() -> None:
        raise TimeoutError("of the database")

    with pytest.raises(TimeoutError, match="database"):
        await within(Deadline.never(), work())


def test_check_refuses_only_expired_deadlines() -> None:
    """Work begins before a deadline and never after it."""
    Deadline.never().check()
    with pytest.raises(DeadlineExceeded):
        Deadline.after(-1.0).check()
    assert Deadline.after(-1.0).remaining_s() == 0
