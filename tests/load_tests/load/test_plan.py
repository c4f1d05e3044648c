"""A plan holds what the profile asks for, and workers share it without a gap."""

from __future__ import annotations

import numpy as np
import pytest

from load_tests.load.names import pool_of
from load_tests.load.plan import FRESH, Plan, plan_of
from load_tests.load.profile import Profile, Segment, Traffic

POOL = pool_of(None, None)
TRAFFIC = Traffic(grpc_share=0.3, fresh_share=0.2, answers_share=0.4, batch_share=0.5, batch_names=(8, 16))


def plan(seed: int = 0, salt: str = "s", traffic: Traffic = TRAFFIC) -> Plan:
    """Ten thousand requests."""
    segments = (Segment(seconds=10, rate=1000),)
    profile = Profile(
        title="", arrivals="poisson", timeout_ms=1000, seed=seed, segments=segments, traffic=traffic
    )
    return plan_of(profile, segments, POOL, salt)


def test_shares_are_those_of_the_profile() -> None:
    """Protocols, answers, batches and fresh names come as often as was asked."""
    own = plan()
    sizes = np.diff(own.offsets)
    assert own.grpc.mean() == pytest.approx(0.3, abs=0.02)
    assert own.answered.mean() == pytest.approx(0.4, abs=0.02)
    assert np.mean(sizes > 1) == pytest.approx(0.5, abs=0.02)
    assert set(sizes.tolist()) == {1, *range(8, 17)}
    assert np.mean(own.places == FRESH) == pytest.approx(0.2, abs=0.01)


def test_names_and_answers_stand_beside_each_other() -> None:
    """A request has a name for each row, of the pool or new, and answers for all or none."""
    own = plan()
    asked = [own.names(number) for number in range(200)]
    for number, (names, answers) in enumerate(asked):
        assert len(names) == own.offsets[number + 1] - own.offsets[number]
        assert (answers is not None) == own.answered[number]
        assert answers is None or len(answers) == len(names)
    fresh = [name for names, _ in asked for name in names if name not in POOL.texts]
    assert len(fresh) == len(set(fresh)) > 50


def test_a_plan_can_be_made_again_by_every_worker() -> None:
    """The same seed and salt give the same requests in another process; another salt other fresh names."""
    first, second, other = plan(), plan(), plan(salt="t")
    assert np.array_equal(first.intended_s, second.intended_s)
    assert [first.names(n) for n in range(500)] == [second.names(n) for n in range(500)]
    assert np.array_equal(first.places, other.places)
    assert [first.names(n) for n in range(500)] != [other.names(n) for n in range(500)]
