"""What became of each request: the lines that traffic writes, and how they are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from contract.errors import ERRORS

# Nobody listened; accepted, then dropped without an answer; no answer long after the deadline.
UNREACHABLE, BROKEN, HUNG = "unreachable", "broken", "hung"
OK, LATE = "200", "504"
HTTP_STATUS_OF = {error.grpc_status: str(error.http_status) for error in ERRORS} | {"OK": OK}

# risk_score, name_score, category_scores, category, action, neighbours, status of one name.
Row = tuple[float, float, Sequence[float], str, str, int, str]


@dataclass(frozen=True)
class Outcome:
    """One request; times are seconds of the monotonic clock, which all processes of a machine share.

    Fields:
        deadline_s  the caller's own, or the server's for who has none
        code        a status of REST or gRPC, or one of the words above
        rows        the answer, name by name
        version     of the model that the answer names
    """

    asked_s: float
    answered_s: float
    deadline_s: float
    protocol: str
    code: str
    names: Sequence[str]
    rows: Sequence[Row] = ()
    version: str = ""

    @property
    def status(self) -> str:
        """The same for both protocols: REST's, or one of the words.

        >>> Outcome(0, 1, 5, "grpc", "UNAVAILABLE", []).status
        '503'
        """
        return HTTP_STATUS_OF.get(self.code, self.code)

    @property
    def early(self) -> bool:
        """Told that the deadline has passed when it had not; a tenth is left to clocks and rounding.

        >>> Outcome(0, 1, 5, "rest", "504", []).early, Outcome(0, 5, 5, "rest", "504", []).early
        (True, False)
        """
        return self.status == LATE and self.answered_s - self.asked_s < 0.9 * self.deadline_s

    def line(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self)) + "\n"


def read_outcomes(lines: Iterable[str]) -> list[Outcome]:
    """What was written; a line that is being written is left out."""
    return [Outcome(**json.loads(line)) for line in lines if line.endswith("\n")]


def rows_of(columns: dict[str, Any]) -> list[Row]:
    """An answer's columns, name by name."""
    order = ("risk_score", "name_score", "category_scores", "category", "action", "neighbours", "status")
    return list(zip(*(columns[name] for name in order), strict=True))
