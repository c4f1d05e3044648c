"""Scores are remembered for their time, the oldest makes room, and nothing is changed by being packed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.score_cache import ACTIONS, CATEGORIES, ScoreCache, Scored

SCORED = st.builds(Scored, st.floats(0, 1), st.sampled_from(ACTIONS), st.sampled_from(CATEGORIES))


@given(SCORED, st.floats(0, 1e9))
def test_what_goes_in_comes_out(scored: Scored, now_s: float) -> None:
    """Action and category as they are, the score to a thousandth, and the time that is left."""
    cache = ScoreCache(10, 60.0)
    cache.put("a.example", scored, now_s)
    found = cache.get("a.example", now_s)
    assert found is not None
    assert found[0] == Scored(pytest.approx(scored.score, abs=0.0005), scored.action, scored.category)
    assert 58 <= found[1] <= 60
    assert cache.get("a.example", now_s + 61) is None


def test_the_oldest_makes_room() -> None:
    """A name that is put again is young again."""
    cache = ScoreCache(2, 60.0)
    scored = Scored(0.5, "monitor", "dga")
    for name in ("a", "b", "a", "c"):
        cache.put(name, scored, 0.0)
    assert [name for name in "abc" if cache.get(name, 0.0)] == ["a", "c"]
    assert len(cache) == 2


def test_expired_entries_are_dropped_in_portions() -> None:
    """From the oldest on, never one that is still good."""
    cache = ScoreCache(100, 60.0)
    for number in range(10):
        cache.put(str(number), Scored(0.5, "allow", "benign"), float(number))
    assert cache.drop_expired(64.5, most=3) == 3
    assert cache.drop_expired(64.5) == 2
    assert len(cache) == 5
