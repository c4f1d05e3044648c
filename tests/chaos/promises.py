"""What is promised under each fault, and the counts that show whether it was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.outcomes import BROKEN, HUNG, LATE, OK, UNREACHABLE, Outcome
from tests.chaos.worlds import World, is_right

RECOVERED_WITHIN_S = 1.0


@dataclass(frozen=True)
class Promise:
    """What callers may see of a fault.

    Fields:
        refusals  statuses, as on REST
        graceful  whether nothing but answers may be seen, as nothing has failed
        mortal    whether the server that callers ask dies: who is connected then loses his request
    """

    refusals: frozenset[str] = frozenset({LATE})
    graceful: bool = False
    mortal: bool = False


@dataclass
class Counts:
    """One fault, as often as it was injected.

    Fields:
        refused     by status
        wrong       answers that are not those of the names
        early       refusals for a deadline that had not passed
        hung        requests without any answer long after their deadline
        lost        accepted requests without an answer; on a graceful stop, any request without one
        recovery_s  the longest time until all was well again
        failures    what else the fault itself asks of the services
    """

    fault: str
    promise: Promise
    times: int = 0
    requests: int = 0
    ok: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    early: int = 0
    hung: int = 0
    lost: int = 0
    recovery_s: float = 0.0
    failures: list[str] = field(default_factory=list)
    skipped: str = ""

    def count(self, outcomes: Iterable[Outcome], worlds: Sequence[World]) -> None:
        """Add what became of requests."""
        for outcome in outcomes:
            self.requests += 1
            self.early += outcome.early
            if outcome.status == OK:
                right = is_right(outcome, worlds)
                self.ok += right
                self.wrong += not right
            elif outcome.status == HUNG:
                self.hung += 1
            else:
                self._count_refusal(outcome)

    def _count_refusal(self, outcome: Outcome) -> None:
        if outcome.status == BROKEN or self.promise.graceful:
            self.lost += 1
        if outcome.status != BROKEN:
            self.refused[outcome.status] += 1

    def broken(self) -> list[str]:
        """The promises that were not kept, in words; whatever depends on the speed of the machine is apart."""
        if self.skipped:
            return []
        found = [f"{count} {what}" for what, count in self._forbidden().items() if count]
        found += [f"{count} answered {code}" for code, count in self.refused.items() if not self._may(code)]
        if not self.times or not self.ok:
            found.append("no traffic")
        return found + self.failures

    def _forbidden(self) -> dict[str, int]:
        forbidden = {"wrong scores": self.wrong, "hung callers": self.hung, "deadlines too early": self.early}
        return forbidden | ({} if self.promise.mortal else {"requests lost": self.lost})

    def _may(self, code: str) -> bool:
        return code in self.promise.refusals or (code == UNREACHABLE and self.promise.mortal)

    def slow(self) -> list[str]:
        """Whether it took longer than promised until all was well."""
        late = self.recovery_s > RECOVERED_WITHIN_S
        return [f"well again only after {self.recovery_s:.1f} s"] * late


def table(counts: Sequence[Counts]) -> str:
    """The counts as a table of Markdown."""
    lines = [
        "| fault | times | requests | ok | refused | wrong | hung | lost | well again after |",
        "|---|---:|---:|---:|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.fault} | skipped: {one.skipped} | | | | | | | |" if one.skipped else _row(one)
        for one in counts
    ]
    return "\n".join(lines)


def _row(one: Counts) -> str:
    refused = ", ".join(f"{code}: {count:,}" for code, count in sorted(one.refused.items())) or "none"
    return (
        f"| {one.fault} | {one.times} | {one.requests:,} | {one.ok:,} | {refused} | {one.wrong} "
        f"| {one.hung} | {one.lost:,} | {one.recovery_s:.2f} s |"
    )
