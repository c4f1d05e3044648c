"""What one version did in a stretch of time, as numbers; and the statistics that compare two of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

# Half the width of a 99.7 % interval in standard errors: one false alarm in some hundred comparisons.
_Z: Final = 3.0
# A call that is in none of the histogram's bounded buckets took at least the largest bound.
_INFINITE: Final = "+Inf"


class Evidence(BaseModel):
    """Counts of one version over one window.

    Fields:
        requests    answered requests
        failed      those that failed by the service's fault
        seconds     requests by upper bound of their latency ("0.005"), not cumulative
        scores      names by upper bound of their score, not cumulative
        actions     names by action
        categories  names by category
        labelled    "block" on labelled names, by label ("malicious", "benign")
    """

    model_config = ConfigDict(frozen=True)

    requests: float = 0.0
    failed: float = 0.0
    seconds: Mapping[str, float] = Field(default_factory=dict)
    scores: Mapping[str, float] = Field(default_factory=dict)
    actions: Mapping[str, float] = Field(default_factory=dict)
    categories: Mapping[str, float] = Field(default_factory=dict)
    labelled: Mapping[str, float] = Field(default_factory=dict)

    @property
    def names(self) -> float:
        """Scored names."""
        return sum(self.actions.values())

    @property
    def error_ratio(self) -> float:
        """Failed requests in parts of all."""
        return self.failed / self.requests if self.requests else 0.0

    @property
    def precision(self) -> float | None:
        """Malicious names in parts of the labelled ones that are blocked; None where none is."""
        blocked = sum(self.labelled.values())
        return self.labelled.get("malicious", 0.0) / blocked if blocked else None


def wilson_lower(failed: float, total: float) -> float:
    """Lower bound of a ratio's confidence interval (Wilson, 1927): failures that are no accident.

    >>> wilson_lower(0, 10), round(wilson_lower(5, 10), 2)
    (0.0, 0.16)
    """
    if total <= 0:
        return 0.0
    ratio, z2 = failed / total, _Z * _Z
    spread = _Z * math.sqrt(max(0.0, ratio * (1 - ratio) / total + z2 / (4 * total * total)))
    return max(0.0, (ratio + z2 / (2 * total) - spread) / (1 + z2 / total))


def quantile(histogram: Mapping[str, float], share: float) -> float | None:
    """The value below which this share lies, linear within its bucket as Prometheus does; None where empty.

    >>> quantile({"0.1": 50.0, "0.2": 50.0}, 0.75)
    0.15
    """
    total = sum(histogram.values())
    if not total:
        return None
    wanted, below, lower = share * total, 0.0, 0.0
    for bound in sorted(histogram, key=float):
        count = histogram[bound]
        if below + count >= wanted and count:
            if bound == _INFINITE:
                return lower
            return lower + (float(bound) - lower) * (wanted - below) / count
        below += count
        lower = lower if bound == _INFINITE else float(bound)
    return lower


def stability_index(stable: Mapping[str, float], canary: Mapping[str, float]) -> tuple[float, float]:
    """Population stability index of two histograms, and what chance alone adds to it.

    Half a count is added to each bucket, so that an empty one has a logarithm. Of two samples of one
    population the index is about (buckets - 1)(1/n + 1/m) (Yurdakul, 2018), which grows where counts are few.
    """
    buckets = sorted({*stable, *canary}, key=float)
    n, m = sum(stable.values()), sum(canary.values())
    if not n or not m:
        return 0.0, math.inf
    index = 0.0
    for bucket in buckets:
        p = (stable.get(bucket, 0.0) + 0.5) / (n + len(buckets) / 2)
        q = (canary.get(bucket, 0.0) + 0.5) / (m + len(buckets) / 2)
        index += (q - p) * math.log(q / p)
    return index, (len(buckets) - 1) * (1 / n + 1 / m)


def largest_shift(
    stable: Mapping[str, float], canary: Mapping[str, float]
) -> tuple[str, float, float, float]:
    """The kind whose share differs most: its name, both shares, three standard errors of the difference."""
    n, m = sum(stable.values()), sum(canary.values())
    if not n or not m:
        return "", 0.0, 0.0, math.inf
    shares = {kind: (stable.get(kind, 0.0) / n, canary.get(kind, 0.0) / m) for kind in {*stable, *canary}}
    kind, (p, q) = max(sorted(shares.items()), key=lambda item: abs(item[1][1] - item[1][0]))
    return kind, p, q, _Z * math.sqrt(p * (1 - p) / n + q * (1 - q) / m)
