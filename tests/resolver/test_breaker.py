"""A transformer that does not answer is left alone, then tried by one call."""

from __future__ import annotations

from resolver.breaker import Breaker


def test_it_opens_after_three_failures_and_probes_once() -> None:
    """While the probe is under way nobody else calls; a success closes it."""
    breaker = Breaker()
    for _ in range(2):
        breaker.begin()
        breaker.failed(10.0)
        assert breaker.wait_s(10.0) == 0
    breaker.begin()
    breaker.failed(10.0)
    assert not breaker.closed
    assert breaker.wait_s(10.0) == 0.25
    assert breaker.wait_s(10.3) == 0
    breaker.begin()
    assert breaker.wait_s(10.3) == float("inf")
    breaker.succeeded()
    assert breaker.closed
    assert breaker.wait_s(10.3) == 0


def test_pauses_grow_up_to_five_seconds() -> None:
    """Each probe that fails doubles the pause."""
    breaker = Breaker()
    now_s, pauses = 0.0, []
    for _ in range(12):
        breaker.begin()
        breaker.failed(now_s)
        pauses.append(breaker.wait_s(now_s))
        now_s += pauses[-1]
    assert pauses[:6] == [0, 0, 0.25, 0.5, 1, 2]
    assert pauses[-1] == 5
