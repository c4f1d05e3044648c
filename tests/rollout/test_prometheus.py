"""Evidence is what a real Prometheus has scraped, from a version's first request on."""

from __future__ import annotations

import time

import pytest

from rollout.evidence import quantile
from rollout.gateway import version_of
from rollout.prometheus import NoEvidence, Prometheus
from tests.polling import until
from tests.rollout.conftest import World

STABLE, CANARY = version_of("dns-risk"), version_of("dns-risk-canary")


@pytest.mark.slow
def test_what_was_answered_is_counted_once_and_by_version(world: World) -> None:
    """Requests, failures, latency, scores, actions and categories, also of series that were just born."""
    world.seen()
    start = world.begin()
    world.canary.answer(70, scores=(0.02, 0.95))
    world.canary.answer(30, code="503", seconds=0.2)
    source = Prometheus(world.prometheus.url)
    until(lambda: source.evidence(CANARY, start, time.time()).requests == 100, "100 requests are seen")
    evidence = source.evidence(CANARY, start, time.time())
    assert (evidence.failed, evidence.names) == (30, 140)
    assert evidence.actions == {"allow": 70, "block": 70}
    assert evidence.categories == {"benign": 70, "dga": 70}
    assert {bound: count for bound, count in evidence.scores.items() if count} == {"0.05": 70, "0.95": 70}
    assert 0.1 < (quantile(evidence.seconds, 0.95) or 0) <= 0.2
    assert source.evidence(STABLE, start, time.time()).requests == 0


@pytest.mark.slow
def test_what_was_answered_before_the_window_is_not_counted(world: World) -> None:
    """A step judges its own traffic."""
    world.stable.answer(50)
    source = Prometheus(world.prometheus.url)
    until(lambda: source.evidence(STABLE, time.time() - 60, time.time()).requests == 50, "50 are seen")
    start = world.begin()
    world.stable.answer(7)
    until(lambda: source.evidence(STABLE, start, time.time()).requests == 7, "7 more are seen")


@pytest.mark.slow
def test_the_processes_of_a_version_say_what_they_are(world: World) -> None:
    """Predictor and transformer, with the model that is served."""
    world.seen()
    builds = Prometheus(world.prometheus.url).builds(CANARY, time.time())
    assert {(build.service, build.model_version) for build in builds} == {
        ("predictor", "3"),
        ("transformer", ""),
    }


def test_a_prometheus_that_is_away_gives_no_evidence() -> None:
    """And says so, instead of zeros that look like a quiet version."""
    with pytest.raises(NoEvidence, match="ConnectError"):
        Prometheus("http://127.0.0.1:9").evidence(STABLE, 0, 1)
