from __future__ import annotations

import pytest

from tests.chaos.promises import Report, report, table
from tests.chaos.traffic import Outcome

RIGHT = {"a": [0.25, 0.75], "b": [0.5]}


def counted(*outcomes: Outcome, graceful: bool = True) -> Report:
    """The counts of some outcomes beside a good one."""
    good = Outcome("rest", "200", "a", 0.25)
    return report("a fault", 1, [good, *outcomes], RIGHT, 0.5, graceful=graceful)


def test_a_score_before_or_after_the_fault_is_right() -> None:
    """Either snapshot's score is right while one replaces the other; another name's is not."""
    kept = counted(Outcome("grpc", "OK", "a", 0.750001), Outcome("grpc", "OK", "b", 0.5))
    assert (kept.answered, kept.wrong, kept.broken) == (3, 0, [])
    assert counted(Outcome("grpc", "OK", "b", 0.25)).broken == ["wrong scores"]


@pytest.mark.parametrize(
    ("code", "graceful", "broken"),
    [
        ("hung", False, ["hung callers"]),
        ("lost", True, ["lost requests"]),
        ("lost", False, []),
        ("503", True, []),
        ("DEADLINE_EXCEEDED", True, []),
    ],
)
def test_what_breaks_a_promise(code: str, graceful: bool, broken: list[str]) -> None:
    """No caller hangs, ever; none is lost on a graceful stop; a refusal is an answer."""
    assert counted(Outcome("rest", code, "a"), graceful=graceful).broken == broken


def test_no_traffic_proves_nothing() -> None:
    """A run without an answer is no success."""
    assert report("x", 1, [], RIGHT, 0.0, graceful=True).broken == ["no traffic"]


def test_the_table_names_every_count() -> None:
    """One row for each fault, refusals by status."""
    row = table([counted(Outcome("rest", "503", "a"), Outcome("grpc", "hung", "a"))]).splitlines()[2]
    assert row == "| a fault | 1 | 3 | 1 | 1 503 | 0 | 1 | 0 | 0.5 s |"
