"""Counts show every promise that was not kept, and none that was."""

from __future__ import annotations

import pytest

from tests.chaos.outcomes import Outcome
from tests.chaos.promises import Counts, Promise, table
from tests.chaos.samples import outcome, row, world

GRACEFUL = Promise(frozenset(), graceful=True)
MORTAL = Promise(mortal=True)
AWAY = Promise(frozenset({"503", "504"}))


def counted(promise: Promise, *outcomes: Outcome) -> Counts:
    counts = Counts("a fault", promise, times=1)
    counts.count([outcome(), *outcomes], [world()])
    return counts


@pytest.mark.parametrize(
    ("promise", "seen", "broken"),
    [
        (AWAY, outcome(), []),
        (AWAY, outcome("OK"), []),
        (AWAY, outcome("503", ()), []),
        (AWAY, outcome("UNAVAILABLE", ()), []),
        (AWAY, outcome("504", (), answered_s=11.0), []),
        (AWAY, outcome("DEADLINE_EXCEEDED", (), answered_s=11.0), []),
        (AWAY, outcome("504", (), answered_s=10.5), ["1 deadlines too early"]),
        (AWAY, outcome(rows=[row(0.6)]), ["1 wrong scores"]),
        (AWAY, outcome("OK", rows=[]), ["1 wrong scores"]),
        (AWAY, outcome("hung", ()), ["1 hung callers"]),
        (AWAY, outcome("broken", ()), ["1 requests lost"]),
        (AWAY, outcome("unreachable", ()), ["1 answered unreachable"]),
        (AWAY, outcome("500", ()), ["1 answered 500"]),
        (AWAY, outcome("INTERNAL", ()), ["1 answered 500"]),
        (AWAY, outcome("UNKNOWN", ()), ["1 answered UNKNOWN"]),
        (MORTAL, outcome("broken", ()), []),
        (MORTAL, outcome("unreachable", ()), []),
        (MORTAL, outcome("hung", ()), ["1 hung callers"]),
        (MORTAL, outcome(rows=[row(0.6)]), ["1 wrong scores"]),
        (GRACEFUL, outcome("503", ()), ["1 requests lost", "1 answered 503"]),
        (GRACEFUL, outcome("broken", ()), ["1 requests lost"]),
        (GRACEFUL, outcome("502", ()), ["1 requests lost", "1 answered 502"]),
    ],
)
def test_what_callers_see_is_judged(promise: Promise, seen: Outcome, broken: list[str]) -> None:
    """By what the fault excuses: alike on both protocols."""
    counts = counted(promise, seen)
    assert counts.broken() == broken
    assert counts.requests == 2


def test_a_fault_without_traffic_proves_nothing() -> None:
    """No answer, or no injection, breaks the run."""
    assert Counts("a fault", AWAY, times=1).broken() == ["no traffic"]
    assert Counts("a fault", AWAY, times=0, ok=1).broken() == ["no traffic"]


def test_what_the_fault_itself_found_counts() -> None:
    """So does a service that ended."""
    counts = counted(AWAY)
    counts.failures.append("a service ended with status 1")
    assert counts.broken() == ["a service ended with status 1"]


def test_time_is_judged_apart() -> None:
    """More than a second is no broken count, but is said."""
    counts = counted(AWAY)
    counts.recovery_s = 1.5
    assert counts.broken() == []
    assert counts.slow() == ["well again only after 1.5 s"]


def test_the_table_shows_counts_and_reasons() -> None:
    """A fault that was skipped says why, and breaks nothing."""
    skipped = Counts("another", AWAY, skipped="needs nginx")
    lines = table([counted(AWAY, outcome("503", ())), skipped]).splitlines()
    assert lines[2] == "| a fault | 1 | 2 | 1 | 503: 1 | 0 | 0 | 0 | 0.00 s |"
    assert "skipped: needs nginx" in lines[3]
    assert skipped.broken() == []
