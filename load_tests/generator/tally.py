"""What a load came to: answers, failures and latencies."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class Tally:
    """Good answers within the measured seconds, and every failure, whenever it came."""

    seconds: float
    answers: int = 0
    good: int = 0
    """Good answers whenever they came, before and after the measured seconds too."""
    failures: Counter[str] = field(default_factory=Counter)
    latencies_s: array[float] = field(default_factory=lambda: array("d"))
    lags_s: array[float] = field(default_factory=lambda: array("d"))
    """Open loop: how late each request went out, which is the generator's fault and not the server's."""

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return self.answers / self.seconds

    def latency_ms(self, percent: float) -> float:
        """A percentile of the latencies, NaN where there are none.

        >>> Tally(1.0, latencies_s=array("d", [0.001, 0.002, 0.003])).latency_ms(50)
        2.0
        """
        return percentile_ms(self.latencies_s, percent)

    def describe(self) -> str:
        """One line for people.

        >>> Tally(2.0, 8, 9, Counter({"late": 1}), array("d", [0.004])).describe()
        '4 answers/s, p50 4.00 ms, p99 4.00 ms, 1 x late'
        """
        failed = [f"{count} x {what}" for what, count in self.failures.most_common()]
        figures = [f"{self.per_second:,.0f} answers/s"]
        figures += [f"p{percent} {self.latency_ms(percent):.2f} ms" for percent in (50, 99)]
        if self.lags_s:
            figures.append(f"p99 of the generator's own lag {percentile_ms(self.lags_s, 99):.2f} ms")
        return ", ".join([*figures, *(failed or ["no failures"])])


def percentile_ms(seconds: array[float], percent: float) -> float:
    """A percentile in milliseconds, NaN of nothing."""
    return float(np.percentile(np.frombuffer(seconds), percent)) * 1000 if seconds else float("nan")
