"""A run in numbers: what goes into report.json and under the pictures of report.html."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from load_tests.load.outcomes import Outcomes, percentile_ms

PERCENTILES: Final = (
    ("p50", 0.5),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("max", 1.0),
)


def summary(outcomes: Outcomes) -> dict[str, Any]:
    """Counts, percentiles, versions and names of some outcomes."""
    good = outcomes.where(outcomes.good)
    return {
        "requests": len(outcomes),
        "good": len(good),
        "by_code": outcomes.by_code(),
        "latency_ms": {"all": _percentiles(good.latency_ms)}
        | {protocol: _percentiles(part.latency_ms) for protocol, part in protocols(good)},
        "lag_ms": _percentiles(outcomes.lag_ms),
        "names": {
            "asked": int(outcomes.names.sum()),
            "answered": int(good.names.sum()),
            "lexical_only": int(good.lexical.sum()),
            "not_scored": int(good.unscored.sum()),
        },
        "versions": _versions(good),
    }


def protocols(outcomes: Outcomes) -> Iterator[tuple[str, Outcomes]]:
    """The outcomes of each protocol that was asked."""
    for name, mask in (("REST", ~outcomes.grpc), ("gRPC", outcomes.grpc)):
        if mask.any():
            yield name, outcomes.where(mask)


def over_time(outcomes: Outcomes, window_s: float = 1.0) -> list[dict[str, Any]]:
    """For each window by intended moment: rates a second, and percentiles of what was answered well."""
    if not len(outcomes):
        return []
    windows = (outcomes.intended_s // window_s).astype(np.int64)
    return [
        _window(outcomes.where(windows == window), window * window_s, window_s)
        for window in range(int(windows.max()) + 1)
    ]


def _window(outcomes: Outcomes, start_s: float, window_s: float) -> dict[str, Any]:
    good = outcomes.where(outcomes.good)
    failed = outcomes.where(~outcomes.good)
    return {
        "s": start_s,
        "offered": len(outcomes) / window_s,
        "good": len(good) / window_s,
        "failed": {code: count / window_s for code, count in failed.by_code().items()},
        **{name: percentile_ms(good.latency_ms, share) for name, share in PERCENTILES},
    }


def window_of(seconds: float) -> float:
    """A window that gives some hundred points: one second, or more in long runs.

    >>> window_of(60), window_of(1800)
    (1.0, 9.0)
    """
    return max(1.0, float(round(seconds / 200)))


def _percentiles(values: np.ndarray) -> dict[str, float | None]:
    return {name: percentile_ms(values, share) for name, share in PERCENTILES}


def _versions(good: Outcomes) -> dict[str, dict[str, Any]]:
    found = {}
    for version in sorted(set(good.versions.tolist())):
        part = good.where(good.versions == version)
        share = round(len(part) / len(good), 4)
        found[version or "not said"] = {
            "requests": len(part),
            "share": share,
            **_percentiles(part.latency_ms),
        }
    return found
