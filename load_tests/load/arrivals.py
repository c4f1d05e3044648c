"""When requests arrive: a pure function of the segments, so that a run can be repeated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from load_tests.load.profile import Segment


def arrivals(segments: Sequence[Segment], kind: str, rng: np.random.Generator) -> np.ndarray:
    """Moments of arrival in seconds from the start, float64 (N,), in order.

    A process of rate r(t) is one of rate 1 in the time R(t), the integral of r; so arrivals are drawn at rate
    1 (every 1, or with exponential gaps) and their moments found by inverting R (Lewis & Shedler 1979, 1.).

    Args:
        segments: rates, one stretch of time after the other.
        kind: `constant` (evenly, as the rate says) or `poisson` (independent callers).
        rng: where chance comes from.
    """
    expected = np.cumsum([0.0, *(segment.requests for segment in segments)])
    ordinals = _ordinals(float(expected[-1]), kind, rng)
    starts = np.cumsum([0.0, *(segment.seconds for segment in segments)])
    moments = [
        start + _inverse(segment, ordinals[(ordinals >= low) & (ordinals < high)] - low)
        for segment, start, low, high in zip(segments, starts, expected, expected[1:], strict=False)
    ]
    return np.concatenate(moments)


def _ordinals(total: float, kind: str, rng: np.random.Generator) -> np.ndarray:
    if kind == "constant":
        return np.arange(0.0, total)
    # Ten standard deviations past the mean: the sum of the gaps ends before `total` once in 10^23 runs.
    draws = int(total + 10 * np.sqrt(total) + 50)
    ordinals = np.cumsum(rng.exponential(size=draws))
    return ordinals[ordinals < total]


def _inverse(segment: Segment, ordinals: np.ndarray) -> np.ndarray:
    """Seconds into a segment at which its expected count reaches each ordinal: a quadratic's root."""
    growth = (segment.end_rate - segment.rate) / segment.seconds
    root = np.sqrt(np.maximum(segment.rate**2 + 2 * growth * ordinals, 0.0))
    # Written so that nothing cancels where the rate hardly changes.
    below = segment.rate + root
    return np.divide(2 * ordinals, below, out=np.zeros_like(ordinals), where=below > 0)
