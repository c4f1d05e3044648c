"""Three thousand malformed requests over every way in: no server blames itself, and none grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.fuzz.kinds import KINDS
from tests.chaos.fuzz.run import fuzz, targets
from tests.chaos.fuzz.strategies import damaged


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_request_breaks_a_server(tmp_path: Path) -> None:
    """No 5xx, UNKNOWN or INTERNAL; memory is bounded also in a run that is mostly warm-up."""
    with targets(tmp_path) as ready:
        found = fuzz(ready, 3_000)
    assert found.failures == []
    assert found.requests >= 2_900
    assert max(found.growth.values()) < 0.15


def test_the_shares_are_all_requests() -> None:
    """Nothing is left out, nothing is counted twice."""
    assert sum(share for _, _, share in KINDS.values()) == pytest.approx(1.0)


def test_damage_is_written_over_and_between() -> None:
    """At any place, also one past the end."""
    assert damaged(b"abcdef", [(2, b"X", 3)]) == b"abXf"
    assert damaged(b"ab", [(2, b"cd", 0)]) == b"abcd"
    assert damaged(b"", [(7, b"x", 4)]) == b"x"
