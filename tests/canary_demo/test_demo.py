"""The demo's short form: real services, proxy, Prometheus and rollout; only the Kubernetes API is a stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.canary_demo.__main__ import ORDER, RATE, SHORT_STEPS, missing_programs, table
from tests.canary_demo.demo import Demo, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(missing_programs()), reason=f"needs {missing_programs()} on the PATH"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo"), RATE) as ready:
        yield ready


def mirrored(demo: Demo, protocol: str) -> float:
    """Requests that a canary saw lately; its series end with it."""
    series = f'{{isvc="dns-risk-canary",component="transformer",model="dns-risk",protocol="{protocol}"}}'
    query = f"sum(max_over_time(dns_risk_requests_total{series}[5m]))"
    answer = httpx.get(f"{demo.prometheus_url}/api/v1/query", params={"query": query}, timeout=10).json()
    return sum(float(found["value"][1]) for found in answer["data"]["result"])


def test_a_shadow_is_judged_but_not_heard(demo: Demo) -> None:
    """Both protocols are mirrored, the candidate's scores are compared, and clients hear the stable version only."""
    candidate = demo.versions["shifted"]
    outcome = demo.shadow(candidate, 50, 0.5, print)
    assert "scores: breach" in outcome.last_words
    assert outcome.as_meant, table([outcome])
    assert min(mirrored(demo, "rest"), mirrored(demo, "grpc")) > 50


@pytest.mark.parametrize("name", ORDER)
def test_a_canary_gets_what_it_deserves(demo: Demo, name: str) -> None:
    """The good one is promoted, a worse one is taken back, and no request fails because of the rollout."""
    outcome = demo.roll_out(demo.versions[name], SHORT_STEPS, print)
    assert outcome.as_meant, table([outcome])
    assert outcome.report is not None
    assert outcome.report.exists()
    assert all(abs(s.measured_percent - s.asked_percent) <= 2.0 for s in outcome.splits if s.requests >= 5000)
    if outcome.version.good:
        assert [s.asked_percent for s in outcome.splits] == [25]
        assert outcome.splits[0].requests >= 5000
