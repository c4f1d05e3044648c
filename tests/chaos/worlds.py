"""Which answers are right: those that a healthy system gave beforehand, as long as its graph and model are served."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.outcomes import Outcome, Row

# Joined and single scores differ by float sums.
SAME = 1e-6


@dataclass
class World:
    """One snapshot and one model version, and what they say of each name.

    Fields:
        version           of the model
        rows              by name
        began_s, ended_s  when an answer of it was right, on the monotonic clock
    """

    version: str
    rows: Mapping[str, Row]
    began_s: float = -math.inf
    ended_s: float = math.inf

    def served_during(self, began_s: float, ended_s: float) -> bool:
        """Whether it was right at any moment in between."""
        return self.began_s <= ended_s and began_s <= self.ended_s

    def says(self, outcome: Outcome) -> bool:
        """Whether this is its answer, name by name."""
        if len(outcome.rows) != len(outcome.names) or outcome.version != self.version:
            return False
        return all(same(row, self.rows[name]) for row, name in zip(outcome.rows, outcome.names, strict=True))


def is_right(outcome: Outcome, worlds: Sequence[World]) -> bool:
    """Whether an answer is that of one world, whole, which was served while it was under way."""
    return any(
        world.served_during(outcome.asked_s, outcome.answered_s) and world.says(outcome) for world in worlds
    )


def same(one: Row, other: Row) -> bool:
    """Equal, scores within what joining may change.

    >>> row = (0.5, 0.5, [0.5, 0.1, 0.2, 0.2], "benign", "allow", 3, "ok")
    >>> same(row, row), same(row, (0.50001, *row[1:])), same(row, (*row[:5], 4, "ok"))
    (True, False, False)
    """
    scores = zip((*one[:2], *one[2]), (*other[:2], *other[2]), strict=True)
    return tuple(one[3:]) == tuple(other[3:]) and all(abs(a - b) <= SAME for a, b in scores)
