"""What is promised under each fault, and the counts that show whether it was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.traffic import ANSWERED, Outcome

# Within what batching may change.
SAME = 1e-5


@dataclass(frozen=True)
class Report:
    """One fault, as often as it was injected.

    Fields:
        fault       its name
        times       how often
        requests    that were sent meanwhile
        answered    with a score
        refused     with a status, by status
        wrong       answered with a score that is not the name's
        hung        without any answer long after the deadline
        lost        connections that broke without an answer
        recovery_s  the longest time until all was well
        graceful    whether nothing may be lost
    """

    fault: str
    times: int
    requests: int
    answered: int
    refused: Mapping[str, int]
    wrong: int
    hung: int
    lost: int
    recovery_s: float
    graceful: bool

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept."""
        broken = [
            what for what, count in (("wrong scores", self.wrong), ("hung callers", self.hung)) if count
        ]
        if self.graceful and self.lost:
            broken.append("lost requests")
        if not self.requests or not self.answered:
            broken.append("no traffic")
        return broken


def report(
    fault: str,
    times: int,
    outcomes: Iterable[Outcome],
    right: Mapping[str, Sequence[float]],
    recovery_s: float,
    *,
    graceful: bool,
) -> Report:
    """Count outcomes; `right` holds for each name every score that is a right one."""
    codes: Counter[str] = Counter()
    wrong = 0
    for outcome in outcomes:
        codes[outcome.code] += 1
        if outcome.code in ANSWERED and not is_right(outcome.risk, right[outcome.name]):
            wrong += 1
    refused = {code: count for code, count in codes.items() if code not in {*ANSWERED, "hung", "lost"}}
    answered = sum(codes[code] for code in ANSWERED)
    return Report(
        fault,
        times,
        codes.total(),
        answered,
        refused,
        wrong,
        codes["hung"],
        codes["lost"],
        recovery_s,
        graceful,
    )


def is_right(risk: float, right: Sequence[float]) -> bool:
    """Whether a score is one of those that are right.

    >>> is_right(0.5, [0.1, 0.500001]), is_right(0.5, [0.1])
    (True, False)
    """
    return any(abs(risk - one) <= SAME for one in right)


def table(reports: Sequence[Report]) -> str:
    """The counts as a table of Markdown."""
    lines = [
        "| fault | times | requests | answered | refused | wrong | hung | lost | recovered after |",
        "|---|---:|---:|---:|---|---:|---:|---:|---:|",
    ]
    for one in reports:
        refused = ", ".join(f"{count} {code}" for code, count in sorted(one.refused.items())) or "none"
        lines.append(
            f"| {one.fault} | {one.times} | {one.requests:,} | {one.answered:,} | {refused} | {one.wrong} "
            f"| {one.hung} | {one.lost} | {one.recovery_s:.1f} s |"
        )
    return "\n".join(lines)
