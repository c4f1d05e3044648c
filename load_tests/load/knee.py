"""The rate that services keep up with, and what they still do past it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from load_tests.load.outcomes import Outcomes, percentile_ms
from load_tests.load.profile import Knee

# The multiple of the knee at which what is left of goodput is judged.
FAR_PAST: Final = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """One rate, held for a while."""

    offered: float
    """requests a second that were to be sent"""
    goodput: float
    """requests a second that were answered well"""
    names: float
    """names a second in those"""
    refused_share: float
    p99_ms: float | None
    """of those answered well"""
    refusal_p50_ms: float | None
    """how soon a refusal came, from when its request was sent"""
    lag_p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """The knee, and goodput in multiples of it."""

    steps: tuple[Step, ...]
    knee: Step | None
    """the last step that was followed; None where even the first was not"""
    reached: bool
    """whether a rate was found that is not followed"""
    past: tuple[tuple[float, Step], ...] = ()
    """steps at multiples of the knee"""

    def retained(self, multiple: float) -> float | None:
        """Goodput at a multiple of the knee by the best goodput of any step."""
        best = max((step.goodput for step in (*self.steps, *(step for _, step in self.past))), default=0.0)
        at = [step.goodput for times, step in self.past if times == multiple]
        return at[0] / best if at and best else None


def search(knee: Knee, measure: Callable[[float], Step]) -> Found:
    """Raise the rate until it is not followed, close in on where, then go past it.

    Args:
        knee: how.
        measure: holds a rate and says what came of it.
    """
    steps: list[Step] = []

    def follows(rate: float) -> bool:
        steps.append(measure(rate))
        return steps[-1].goodput >= knee.follows * steps[-1].offered

    good, rate = None, knee.start_rate
    while rate <= knee.max_rate and follows(rate):
        good, rate = steps[-1], rate * knee.factor
    reached = rate <= knee.max_rate
    if good is None or not reached:
        return Found(tuple(steps), good, reached)
    for _ in range(knee.refinements):
        middle = math.sqrt(good.offered * rate)
        if follows(middle):
            good = steps[-1]
        else:
            rate = middle
    past = tuple((times, measure(times * good.offered)) for times in knee.multiples)
    return Found(tuple(steps), good, reached, past)


def step_of(outcomes: Outcomes, offered: float, settle_s: float, seconds: float, timeout_ms: float) -> Step:
    """What came of the requests that were due after the settling time.

    An answer that comes later than its caller waits, from when it was meant to be asked for, is none.
    """
    counted = outcomes.where(outcomes.intended_s >= settle_s)
    over_s = seconds - settle_s
    good, refused = (
        counted.where(counted.good & (counted.latency_ms <= timeout_ms)),
        counted.where(counted.refused),
    )
    return Step(
        offered,
        len(good) / over_s,
        float(good.names.sum()) / over_s,
        len(refused) / max(1, len(counted)),
        percentile_ms(good.latency_ms, 0.99),
        percentile_ms(1000 * (refused.ended_s - refused.sent_s), 0.5),
        percentile_ms(counted.lag_ms, 0.99),
    )
