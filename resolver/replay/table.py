"""What a replay found: names that would be blocked or looked at, worst first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from resolver.policy import ALLOW, BLOCK, MONITOR, Policy
from resolver.score_cache import Scored
from resolver.wire_names import to_text


@dataclass(frozen=True, slots=True)
class Row:
    """One name."""

    name: str
    queries: int
    score: float
    action: str
    reason: str


def rows_of(queries: Mapping[bytes, int], scores: Mapping[bytes, Scored], policy: Policy) -> list[Row]:
    """A row for each name that has a score: what would happen to it, worst first."""
    rows = []
    for name, count in queries.items():
        if name in scores:
            verdict = policy.verdict(name, scores[name])
            rows.append(Row(to_text(name), count, scores[name].score, verdict.action, verdict.reason))
    order = {BLOCK: 0, MONITOR: 1, ALLOW: 2}
    return sorted(rows, key=lambda row: (order[row.action], -row.score, row.name))


def summary(rows: Sequence[Row], unscored: int) -> str:
    """Counts in one line each."""
    names = Counter(row.action for row in rows)
    queries: Counter[str] = Counter()
    for row in rows:
        queries[row.action] += row.queries
    lines = [
        f"{action:<8}{names[action]:>9,} names {queries[action]:>12,} queries"
        for action in (BLOCK, MONITOR, ALLOW)
    ]
    return "\n".join([*lines, f"{'unscored':<8}{unscored:>9,} names"])


def table(rows: Sequence[Row], most: int) -> str:
    """Those that are not just allowed, at most so many."""
    shown = [row for row in rows if row.action != ALLOW]
    lines = [f"{'action':<8} {'score':>5} {'queries':>8}  {'reason':<9} name"]
    lines += [
        f"{row.action:<8} {row.score:>5.3f} {row.queries:>8,}  {row.reason:<9} {row.name}"
        for row in shown[:most]
    ]
    if len(shown) > most:
        lines.append(f"… and {len(shown) - most:,} more; --json FILE holds all")
    return "\n".join(lines)


def document(rows: Sequence[Row], unscored: int, log: Mapping[str, object]) -> str:
    """All of it for programs, with what became of the log."""
    names = [asdict(row) for row in rows]
    return json.dumps({"log": log, "unscored": unscored, "names": names}, indent=1) + "\n"
