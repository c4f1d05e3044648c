"""What was measured, by name, with all repeats."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """Repeats by the name of what was measured, and what failed meanwhile.

    >>> figures = Figures()
    >>> for value in (3.0, 1.0, 2.0): figures.add("ours/grpc/1/64", value)
    >>> figures.add("plain/grpc/1/64", 0.5)
    >>> figures.median("ours/grpc/1/64"), figures.ratio("ours/grpc/1/64", "plain/grpc/1/64")
    (2.0, 4.0)
    """

    repeats: dict[str, list[float]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, value: float) -> None:
        """One more repeat."""
        self.repeats.setdefault(name, []).append(value)

    def fail(self, name: str, failures: Counter[str]) -> None:
        """Requests that were not answered well, by what they were told."""
        for what, count in failures.items():
            self.failures[f"{name}: {what}"] += count

    def median(self, name: str) -> float | None:
        """The median of the repeats; None where it was not measured."""
        return statistics.median(self.repeats[name]) if name in self.repeats else None

    def ratio(self, name: str, to: str) -> float | None:
        """One median by another; None where either is missing or there is nothing to divide by."""
        above, below = self.median(name), self.median(to)
        return above / below if above is not None and below else None

    def best(self, *names: str) -> float | None:
        """The largest median among those that were measured."""
        known = [value for name in names if (value := self.median(name)) is not None]
        return max(known, default=None)

    def spread(self, name: str) -> float | None:
        """Largest repeat minus smallest, by the median: how far to trust it."""
        values, middle = self.repeats.get(name, []), self.median(name)
        return (max(values) - min(values)) / middle if middle else None
