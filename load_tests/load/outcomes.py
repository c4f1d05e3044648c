"""What became of every request of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import numpy as np

GOOD: Final = frozenset({"200", "OK"})
REFUSED: Final = frozenset({"429", "RESOURCE_EXHAUSTED"})
NOT_SENT: Final = "not sent: the generator was full"
UNANSWERED: Final = "no answer by the end"


@dataclass(slots=True)
class Collector:
    """Outcomes as they come, one row each."""

    rows: list[tuple[float, float, float, bool, int, int, int]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    good: int = 0
    """how many were answered as they should"""

    def add(
        self, intended_s: float, sent_s: float, ended_s: float, *, grpc: bool, names: int, code: str,
        version: str = "", lexical: int = 0, unscored: int = 0,
    ) -> None:  # fmt: skip
        """One request: moments from the start of the run, what it was and what came."""
        self.rows.append((intended_s, sent_s, ended_s, grpc, names, lexical, unscored))
        self.codes.append(code)
        self.versions.append(version)
        self.good += code in GOOD

    def outcomes(self) -> Outcomes:
        """Everything so far."""
        table = np.array(self.rows, dtype=np.float64).reshape(-1, 7)
        return Outcomes(
            table[:, 0], table[:, 1], table[:, 2], table[:, 3] > 0,
            table[:, 4], table[:, 5], table[:, 6], np.array(self.codes, dtype=np.str_),
            np.array(self.versions, dtype=np.str_),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Columns of N requests, in no order.

    Shapes (N requests):
        intended_s, sent_s, ended_s  float64 (N,)  seconds from the start of the run
        grpc                         bool    (N,)
        names, lexical, unscored     float64 (N,)  names asked; of those scored by spelling only; not scored
        codes, versions              str     (N,)
    """

    intended_s: np.ndarray
    sent_s: np.ndarray
    ended_s: np.ndarray
    grpc: np.ndarray
    names: np.ndarray
    lexical: np.ndarray
    unscored: np.ndarray
    codes: np.ndarray
    versions: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def good(self) -> np.ndarray:
        """Which were answered as they should."""
        return np.isin(self.codes, list(GOOD))

    @property
    def refused(self) -> np.ndarray:
        """Which were refused because there was too much."""
        return np.isin(self.codes, list(REFUSED))

    @property
    def latency_ms(self) -> np.ndarray:
        """From the intended moment: a caller that could not even ask in time waited, too."""
        return 1000 * (self.ended_s - self.intended_s)

    @property
    def lag_ms(self) -> np.ndarray:
        """How late requests were sent; the generator's own fault."""
        return 1000 * (self.sent_s - self.intended_s)

    def where(self, mask: np.ndarray) -> Outcomes:
        """Those of a mask."""
        return Outcomes(*(getattr(self, column.name)[mask] for column in fields(self)))

    def by_code(self) -> dict[str, int]:
        """Requests by code, most first."""
        return dict(Counter(self.codes.tolist()).most_common())


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """The outcomes of several workers as one."""
    return Outcomes(*(np.concatenate([getattr(part, c.name) for part in parts]) for c in fields(Outcomes)))


def save(outcomes: Outcomes, path: Path) -> None:
    """Write columns without pickle."""
    columns = {column.name: getattr(outcomes, column.name) for column in fields(outcomes)}
    np.savez(path, **columns)


def load(path: Path) -> Outcomes:
    """Read what `save` wrote."""
    with np.load(path, allow_pickle=False) as columns:
        return Outcomes(**{column.name: columns[column.name] for column in fields(Outcomes)})


def percentile_ms(values: np.ndarray, share: float) -> float | None:
    """A percentile to the microsecond; None where there is nothing."""
    return round(float(np.quantile(values, share)), 3) if len(values) else None
