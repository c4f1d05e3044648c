"""A line through memory tells growth from noise, and a soak says what it found."""

from __future__ import annotations

import os

import pytest

from tests.chaos.memory import MIB, growth, rss_bytes
from tests.chaos.promises import Counts, Promise
from tests.chaos.samples import outcome, row, world
from tests.chaos.soak import Soaked, report


def memory(an_hour: float) -> list[tuple[float, float]]:
    """Ten minutes of a service of 200 MiB, with noise."""
    noise = (1, -1, 0, 2, -2)
    return [
        (at_s, (200 * (1 + an_hour * (at_s - 300) / 3600) + noise[at_s % 5] / 10) * MIB)
        for at_s in range(0, 600, 3)
    ]


@pytest.mark.parametrize("an_hour", [-0.5, 0.0, 0.01, 0.3])
def test_growth_is_found_through_noise(an_hour: float) -> None:
    """To a quarter of a percent an hour."""
    assert growth(memory(an_hour), 3600.0) == pytest.approx(an_hour, abs=0.0025)


def test_memory_of_a_process_is_read() -> None:
    """This one has some, and gets more."""
    before = rss_bytes(os.getpid())
    held = bytearray(os.urandom(64)) * (1 << 20)
    assert rss_bytes(os.getpid()) - before > len(held) / 2


def test_a_soak_says_what_was_broken() -> None:
    """A wrong score, a refusal and growth, each in a line; a good one has none."""
    counts = Counts("soak", Promise(frozenset(), graceful=True), times=1)
    counts.count([outcome(), outcome(rows=[row(0.6)]), outcome("503", ())], [world()])
    soaked = Soaked(counts, {"predictor": memory(0.05), "transformer": memory(0.001)})
    broken = [line for line in report(soaked).splitlines() if line.startswith("broken: ")]
    assert len(broken) == 4
    assert "predictor's memory grew by 5" in broken[-1]
    good = Counts("soak", Promise(frozenset(), graceful=True), times=1)
    good.count([outcome()], [world()])
    assert Soaked(good, {"predictor": memory(0.001)}).broken() == []
