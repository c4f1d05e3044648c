"""Arrivals follow the rates: evenly, or by chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.load.arrivals import arrivals
from load_tests.load.profile import Segment

RATES = st.floats(0, 500)
SEGMENTS = st.lists(
    st.builds(Segment, seconds=st.floats(0.1, 20), rate=RATES, to_rate=st.none() | RATES),
    min_size=1,
    max_size=5,
)


def test_constant_arrivals_are_even() -> None:
    """A hundred a second are ten milliseconds apart."""
    moments = arrivals([Segment(seconds=2, rate=100)], "constant", np.random.default_rng(0))
    assert len(moments) == 200
    assert np.diff(moments) == pytest.approx(0.01)


def test_a_ramp_is_even_in_its_rate() -> None:
    """From 0 to 200 a second, half of the requests come in the last 29 % of the time (1 - 1/√2)."""
    moments = arrivals([Segment(seconds=10, rate=0, to_rate=200)], "constant", np.random.default_rng(0))
    assert len(moments) == 1000
    assert np.median(moments) == pytest.approx(10 / np.sqrt(2), rel=0.002)


def test_poisson_arrivals_vary_as_independent_callers_do() -> None:
    """Counts of a second have the variance of their mean, and gaps are exponential."""
    moments = arrivals([Segment(seconds=2000, rate=50)], "poisson", np.random.default_rng(1))
    counts = np.bincount(moments.astype(int))
    assert counts.mean() == pytest.approx(50, rel=0.02)
    assert counts.var() == pytest.approx(50, rel=0.1)
    assert np.mean(np.diff(moments) > 0.02) == pytest.approx(np.exp(-1), rel=0.05)


@given(SEGMENTS, st.sampled_from(["constant", "poisson"]), st.integers(0, 9))
def test_moments_are_in_order_within_the_time(segments: list[Segment], kind: str, seed: int) -> None:
    """None comes before the start, after the end, or out of order; constant ones are as many as expected."""
    moments = arrivals(segments, kind, np.random.default_rng(seed))
    assert np.all(np.diff(moments) >= -1e-9)
    assert np.all(moments >= 0)
    assert np.all(moments <= sum(segment.seconds for segment in segments) + 1e-6)
    if kind == "constant":
        assert len(moments) == np.ceil(sum(segment.requests for segment in segments)).astype(int)


@given(SEGMENTS, st.integers(0, 9))
def test_a_run_can_be_repeated(segments: list[Segment], seed: int) -> None:
    """The same seed gives the same moments."""
    first, second = (arrivals(segments, "poisson", np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(first, second)
