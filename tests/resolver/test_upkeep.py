"""What goes on by itself goes on, whatever one turn of it does."""

from __future__ import annotations

import asyncio

import pytest

from resolver.upkeep import Upkeep


async def test_a_turn_that_fails_is_said_once_and_the_next_one_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Until it is over; after that the same failure is said again. All are counted."""
    upkeep = Upkeep()
    outcomes = iter(["full", "full", "", "full"])
    done = asyncio.Event()

    async def turn() -> None:
        outcome = next(outcomes, None)
        if outcome is None:
            done.set()
        elif outcome:
            raise OSError(outcome)

    work = asyncio.create_task(upkeep.repeat("files", turn, 0.0))
    await asyncio.wait_for(done.wait(), 10)
    work.cancel()
    assert upkeep.failures == {"files": 3}
    assert [getattr(line, "reason", "") for line in caplog.records] == ["OSError: full", "OSError: full"]
