"""The demo's short form: real services, proxy, Prometheus and rollout; only the Kubernetes API is a stand-in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.canary_demo.__main__ import ORDER, SHORT_STEPS, table
from tests.canary_demo.demo import Demo, running

RATE = 220.0
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in ("nginx", "prometheus", "kubectl")),
        reason="needs nginx, prometheus and kubectl on the PATH",
    ),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo"), RATE) as ready:
        yield ready


@pytest.mark.parametrize("name", ORDER)
def test_a_canary_gets_what_it_deserves(demo: Demo, name: str) -> None:
    """The good one is promoted, a worse one is taken back, and no request fails because of the rollout."""
    outcome = demo.roll_out(demo.versions[name], SHORT_STEPS, print)
    assert outcome.as_meant, table([outcome])
    assert outcome.report is not None
    assert outcome.report.exists()
    if outcome.version.good:
        assert [split.asked_percent for split in outcome.splits] == [20, 50]
        assert not outcome.own_failures
    for split in outcome.splits:
        if split.requests >= 5000:
            assert abs(split.measured_percent - split.asked_percent) <= 2.0
