"""What services export becomes points over time."""

from __future__ import annotations

import pytest

from load_tests.load.server_metrics import Measure, points_of, totals_of

PAGE = """\
# HELP dns_risk_in_flight Requests accepted and not yet answered.
# TYPE dns_risk_in_flight gauge
dns_risk_in_flight{protocol="grpc"} 2.0
dns_risk_in_flight{protocol="rest"} 3.0
# TYPE dns_risk_batch_graphs histogram
dns_risk_batch_graphs_bucket{le="+Inf"} 4.0
dns_risk_batch_graphs_sum 40.0
dns_risk_batch_graphs_count 4.0
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 10.0
"""


def test_labels_are_summed() -> None:
    """Both protocols together."""
    assert totals_of(PAGE)["dns_risk_in_flight"] == 5.0


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (Measure("", "gauge", "dns_risk_in_flight"), [(0.0, 5.0), (2.0, 5.0)]),
        (Measure("", "mean", "dns_risk_batch_graphs"), [(2.0, 30.0)]),
        (Measure("", "rate", "process_cpu_seconds_total"), [(2.0, 0.5)]),
        (Measure("", "gauge", "absent"), []),
        (Measure("", "mean", "absent"), []),
    ],
)
def test_a_gauge_a_mean_and_a_rate(measure: Measure, expected: list[tuple[float, float]]) -> None:
    """Two seconds with one second of processor time and two batches of thirty graphs."""
    later = (
        PAGE.replace("total 10.0", "total 11.0")
        .replace("sum 40.0", "sum 100.0")
        .replace("count 4", "count 6")
    )
    assert points_of(measure, [(0.0, totals_of(PAGE)), (2.0, totals_of(later))]) == expected


def test_a_restart_in_between_says_nothing() -> None:
    """Counters that fell are no negative rate."""
    samples = [(0.0, {"process_cpu_seconds_total": 10.0}), (1.0, {"process_cpu_seconds_total": 0.5})]
    assert points_of(Measure("", "rate", "process_cpu_seconds_total"), samples) == []
