"""The search finds where a server stops following, and says what it does past that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.load.knee import Found, Step, search, step_of
from load_tests.load.profile import Knee
from load_tests.load.slo import KneeGoals, judged_knee
from tests.load_tests.load.runs import outcomes

KNEE = Knee(
    start_rate=10,
    factor=2,
    max_rate=10_000,
    step_s=1,
    settle_s=0,
    follows=0.95,
    refinements=3,
    multiples=(1.0, 3.0),
)


def server(limit: float, kept: float = 1.0) -> Found:
    """What is found of a server that answers up to a limit, and past it a share of that."""

    def measure(rate: float) -> Step:
        goodput = rate if rate <= limit else kept * limit
        return Step(rate, goodput, goodput, 1 - goodput / rate, 5.0, 1.0, 0.1)

    return search(KNEE, measure)


@given(st.floats(11, 4_000))
def test_the_knee_is_close_below_the_limit(limit: float) -> None:
    """Three refinements of a factor of two leave at most a tenth, and `follows` allows a twentieth above."""
    found = server(limit)
    assert found.reached
    assert found.knee is not None
    assert limit * 2 ** (-1 / 8) * 0.99 <= found.knee.offered <= limit / KNEE.follows + 1e-6


def test_what_is_kept_past_the_knee() -> None:
    """A server that stays at its best keeps all; one that collapses does not, and the verdict says so."""
    for kept, met in ((1.0, True), (0.5, False)):
        found = server(100.0, kept)
        share = found.retained(3.0)
        assert share == pytest.approx(kept, rel=0.11)
        [rule] = judged_knee(KneeGoals(goodput_at_three_knees=0.89), found)
        assert rule.met == met


def test_a_server_without_end_or_beginning_has_no_knee() -> None:
    """Past the highest rate nothing is searched, and what is not even followed at first is said."""
    assert not server(1e9).reached
    slow = server(1.0)
    assert slow.knee is None
    assert len(slow.steps) == 1
    [rule] = judged_knee(KneeGoals(rate=50), slow)
    assert not rule.met


def test_a_step_counts_what_was_due_after_it_settled() -> None:
    """Ten requests a second of which the second half is refused."""
    step = step_of(outcomes(*["200"] * 15, *["429"] * 5), 10.0, settle_s=1.0, seconds=2.0, timeout_ms=1000.0)
    assert (step.goodput, step.names, step.refused_share) == (5.0, 10.0, 0.5)
    assert step.p99_ms == pytest.approx(10)
    assert step.refusal_p50_ms == pytest.approx(10)


def test_an_answer_after_its_caller_has_gone_is_none() -> None:
    """Twenty answers, each later than anybody waits."""
    late = outcomes(*["200"] * 20, latency_s=1.5)
    assert step_of(late, 10.0, settle_s=0.0, seconds=2.0, timeout_ms=1000.0).goodput == 0
