from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from serving.metrics import LATENCY_BUCKETS_S
from serving.request_metrics import RequestMetrics


def test_request_metrics_count_in_and_out() -> None:
    """A request is in flight until it is counted with its code and its seconds."""
    registry = CollectorRegistry()
    metrics = RequestMetrics(registry)
    metrics.begin("rest")
    assert registry.get_sample_value("dns_risk_in_flight", {"protocol": "rest"}) == 1
    metrics.end("rest", "dns-risk", "200", 0.003)
    labels = {"protocol": "rest", "model": "dns-risk"}
    assert registry.get_sample_value("dns_risk_in_flight", {"protocol": "rest"}) == 0
    assert registry.get_sample_value("dns_risk_requests_total", labels | {"code": "200"}) == 1
    assert registry.get_sample_value("dns_risk_request_seconds_sum", labels) == 0.003


def test_a_second_is_in_the_bucket_of_a_second() -> None:
    """Bounds belong to the bucket below them, and each bucket holds all before it, as Prometheus wants."""
    registry = CollectorRegistry()
    metrics = RequestMetrics(registry)
    for seconds in (0.0005, 0.001, 0.0011, 1.0, 60.0):
        metrics.begin("grpc")
        metrics.end("grpc", "m", "OK", seconds)
    labels = {"protocol": "grpc", "model": "m"}

    def below(bound: str) -> float | None:
        return registry.get_sample_value("dns_risk_request_seconds_bucket", labels | {"le": bound})

    assert [below(bound) for bound in ("0.001", "0.002", "1.0", "10.0", "+Inf")] == [2, 3, 4, 4, 5]
    assert registry.get_sample_value("dns_risk_request_seconds_count", labels) == 5


def test_what_is_written_is_what_prometheus_reads() -> None:
    """Written and parsed again, the three families have their types and the histogram all its buckets."""
    registry = CollectorRegistry()
    metrics = RequestMetrics(registry)
    metrics.begin("rest")
    metrics.end("rest", "m", "200", 0.1)
    text = generate_latest(registry).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    kinds = {name: family.type for name, family in families.items()}
    assert kinds == {
        "dns_risk_requests": "counter",
        "dns_risk_request_seconds": "histogram",
        "dns_risk_in_flight": "gauge",
    }
    assert len(families["dns_risk_request_seconds"].samples) == len(LATENCY_BUCKETS_S) + 3
