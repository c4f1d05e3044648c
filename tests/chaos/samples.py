"""Outcomes and worlds of a name or two, for tests of how they are judged."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.chaos.outcomes import Outcome, Row
from tests.chaos.worlds import World


def row(risk: float = 0.5, neighbours: int = 3) -> Row:
    return (risk, risk, (1 - risk, 0.0, 0.0, risk), "benign", "allow", neighbours, "ok")


def world(
    version: str = "1", risk: float = 0.5, began_s: float = -math.inf, ended_s: float = math.inf
) -> World:
    return World(version, {"a.example": row(risk), "b.example": row(risk / 2)}, began_s, ended_s)


def outcome(
    code: str = "200",
    rows: Sequence[Row] = (row(),),
    version: str = "1",
    asked_s: float = 10.0,
    answered_s: float = 10.1,
    deadline_s: float = 1.0,
    names: Sequence[str] = ("a.example",),
) -> Outcome:
    return Outcome(asked_s, answered_s, deadline_s, "rest", code, names, rows, version)
