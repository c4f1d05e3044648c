from __future__ import annotations

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from contract.feature_schema import FEATURE_SCHEMA
from contract.version import CONTRACT_VERSION
from serving.metrics import AnswerMetrics, BatcherMetrics, BuildMetrics, FeatureMetrics


def test_services_export_what_they_feed() -> None:
    """Batcher and feature metrics live in one registry without clashing, and a gauge can be a function."""
    registry = CollectorRegistry()
    batcher, features = BatcherMetrics(registry), FeatureMetrics(registry)
    batcher.batch_graphs.observe(32)
    features.snapshot_age_seconds.set_function(lambda: 5.0)
    assert registry.get_sample_value("dns_risk_batch_graphs_sum") == 32
    assert registry.get_sample_value("dns_risk_snapshot_age_seconds") == 5


def tell(metrics: AnswerMetrics, scores: list[float], version: str) -> None:
    """Answer one request of these scores."""
    count = len(scores)
    words = np.array([b"block", *[b"allow"] * (count - 1)], object)
    kinds = np.array([b"benign"] * count, object)
    metrics.answered(np.array(scores, np.float32), words, kinds, version)


def test_answers_are_counted_by_the_model_version_that_gave_them() -> None:
    """Scores, actions and categories of two versions stand apart; a bound belongs to its own bucket."""
    registry = CollectorRegistry()
    metrics = AnswerMetrics(registry)
    tell(metrics, [0.05, 0.0501, 1.0, 0.0], "1")
    tell(metrics, [0.3], "2")
    tell(metrics, [0.31], "1")
    one = {"model_version": "1"}

    def below(bound: str) -> float | None:
        return registry.get_sample_value("dns_risk_score_bucket", one | {"le": bound})

    assert [below(bound) for bound in ("0.05", "0.1", "0.3", "0.35", "0.95", "1.0", "+Inf")] == [
        2,
        3,
        3,
        4,
        4,
        5,
        5,
    ]
    assert registry.get_sample_value("dns_risk_score_count", {"model_version": "2"}) == 1
    assert registry.get_sample_value("dns_risk_actions_total", one | {"action": "block"}) == 2
    assert registry.get_sample_value("dns_risk_actions_total", one | {"action": "allow"}) == 3
    assert registry.get_sample_value("dns_risk_categories_total", one | {"category": "benign"}) == 5


def test_the_score_histogram_is_one_that_prometheus_reads() -> None:
    """Written and parsed again, it is a histogram with all its buckets."""
    registry = CollectorRegistry()
    metrics = AnswerMetrics(registry)
    tell(metrics, [0.5], "1")
    families = {
        family.name: family for family in text_string_to_metric_families(generate_latest(registry).decode())
    }
    assert families["dns_risk_score"].type == "histogram"
    assert len(families["dns_risk_score"].samples) == 23


def test_a_process_says_what_it_is() -> None:
    """Contract and features are those of the code; a rollout compares them between processes."""
    registry = CollectorRegistry()
    BuildMetrics(registry).announce("predictor", "0.1.0", "7", "ab" * 32)
    labels = {
        "service": "predictor",
        "release": "0.1.0",
        "contract_version": CONTRACT_VERSION,
        "feature_schema": FEATURE_SCHEMA,
        "model_version": "7",
        "weights_sha256": "ab" * 32,
    }
    assert registry.get_sample_value("dns_risk_build_info", labels) == 1
