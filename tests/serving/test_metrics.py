from __future__ import annotations

from prometheus_client import CollectorRegistry

from serving.metrics import BatcherMetrics, FeatureMetrics, RequestMetrics


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


def test_services_export_what_they_feed() -> None:
    """Batcher and feature metrics live in one registry without clashing, and a gauge can be a function."""
    registry = CollectorRegistry()
    batcher, features = BatcherMetrics(registry), FeatureMetrics(registry)
    batcher.batch_graphs.observe(32)
    features.snapshot_age_seconds.set_function(lambda: 5.0)
    assert registry.get_sample_value("dns_risk_batch_graphs_sum") == 32
    assert registry.get_sample_value("dns_risk_snapshot_age_seconds") == 5
