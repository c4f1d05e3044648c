"""Scores are remembered for their time, the oldest makes room, and nothing is changed by being packed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.score_cache import ACTIONS, CATEGORIES, ScoreCache, Scored

SCORED = st.builds(
    Scored, st.floats(0, 1), st.sampled_from(ACTIONS), st.sampled_from(CATEGORIES), st.floats(0, 1)
)


@given(SCORED, st.floats(0, 1e9))
def test_what_goes_in_comes_out(scored: Scored, now_s: float) -> None:
    """Action and category as they are, both scores to a thousandth, and the time that is left."""
    cache = ScoreCache(10, 60.0)
    cache.put(b"\1a", scored, now_s)
    found = cache.get(b"\1a", now_s)
    assert found is not None
    scores = pytest.approx([scored.score, scored.name_score], abs=0.0005)
    assert [found[0].score, found[0].name_score] == scores
    assert found[0][1:3] == (scored.action, scored.category)
    assert 58 <= found[1] <= 60
    assert cache.get(b"\1a", now_s + 61) is None


def test_the_oldest_makes_room() -> None:
    """A name that is put again is young again."""
    cache = ScoreCache(2, 60.0)
    scored = Scored(0.5, "monitor", "dga")
    for name in (b"a", b"b", b"a", b"c"):
        cache.put(name, scored, 0.0)
    assert [name for name in (b"a", b"b", b"c") if cache.get(name, 0.0)] == [b"a", b"c"]
    assert len(cache) == 2


def test_expired_entries_are_dropped_in_portions() -> None:
    """From the oldest on, never one that is still good."""
    cache = ScoreCache(100, 60.0)
    for number in range(10):
        cache.put(b"%d" % number, Scored(0.5, "allow", "benign"), float(number))
    assert cache.drop_expired(64.5, most=3) == 3
    assert cache.drop_expired(64.5) == 2
    assert len(cache) == 5
