"""Every Prometheus metric of the services: names, units and help in one place.

Each class is constructed once per process by whoever feeds it, so that a service exports only what it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

LATENCY_BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SHORT_BUCKETS_S: Final = (0.0001, 0.0002, 0.0005, *LATENCY_BUCKETS_S)
SIZE_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384, 65536)

# Label of requests for a model that is not here: an attacker must not be able to create label values.
UNKNOWN_MODEL: Final = "unknown"


class RequestMetrics:
    """Requests by protocol ("rest", "grpc"), model and code ("200", "OK", "RESOURCE_EXHAUSTED", …)."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._requests = Counter(
            "dns_risk_requests", "Requests answered.", ("protocol", "model", "code"), registry=registry
        )
        self._seconds = Histogram(
            "dns_risk_request_seconds",
            "Seconds from the first byte of a request seen to its answer.",
            ("protocol", "model"),
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._in_flight = Gauge(
            "dns_risk_in_flight", "Requests accepted and not yet answered.", ("protocol",), registry=registry
        )

    def begin(self, protocol: str) -> None:
        """Count one request in."""
        self._in_flight.labels(protocol).inc()

    def end(self, protocol: str, model: str, code: str, seconds: float) -> None:
        """Count one request out; `model` is a registered name or `UNKNOWN_MODEL`."""
        self._in_flight.labels(protocol).dec()
        self._requests.labels(protocol, model, code).inc()
        self._seconds.labels(protocol, model).observe(seconds)


class BatcherMetrics:
    """Queue and batches of the predictor."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.queue_depth = Gauge("dns_risk_queue_depth", "Requests waiting for a batch.", registry=registry)
        self.queue_graphs = Gauge("dns_risk_queue_graphs", "Graphs waiting for a batch.", registry=registry)
        self.queue_seconds = Histogram(
            "dns_risk_queue_seconds",
            "Seconds a request waited before its batch began.",
            buckets=SHORT_BUCKETS_S,
            registry=registry,
        )
        self.dropped = Counter(
            "dns_risk_queue_dropped",
            'Requests dropped unscored, by reason ("caller_gone", "deadline", "overloaded").',
            ("reason",),
            registry=registry,
        )
        self.batch_graphs = Histogram(
            "dns_risk_batch_graphs", "Graphs per batch.", buckets=SIZE_BUCKETS, registry=registry
        )
        self.batch_nodes = Histogram(
            "dns_risk_batch_nodes", "Nodes per batch.", buckets=SIZE_BUCKETS, registry=registry
        )
        self.batch_edges = Histogram(
            "dns_risk_batch_edges", "Edges per batch.", buckets=SIZE_BUCKETS, registry=registry
        )
        self.model_seconds = Histogram(
            "dns_risk_model_seconds",
            "Seconds the model took for one batch.",
            buckets=SHORT_BUCKETS_S,
            registry=registry,
        )


class FeatureMetrics:
    """Features and graph store of the transformer."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.feature_seconds = Histogram(
            "dns_risk_feature_seconds",
            "Seconds to build the features and sub-graphs of one request.",
            buckets=SHORT_BUCKETS_S,
            registry=registry,
        )
        self.predictor_seconds = Histogram(
            "dns_risk_predictor_seconds",
            "Seconds one call to the predictor took.",
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self.domains = Counter(
            "dns_risk_domains",
            'Domains by outcome ("scored", "not_a_name", "answers_ignored").',
            ("outcome",),
            registry=registry,
        )
        # Call `snapshot_age_seconds.set_function(...)`: the age is read when it is scraped.
        self.snapshot_age_seconds = Gauge(
            "dns_risk_snapshot_age_seconds", "Seconds since the graph snapshot was built.", registry=registry
        )
        self.snapshot_nodes = Gauge(
            "dns_risk_snapshot_nodes", "Nodes of the graph snapshot in use.", registry=registry
        )
        self.snapshot_edges = Gauge(
            "dns_risk_snapshot_edges", "Edges of the graph snapshot in use.", registry=registry
        )


class ExplanationMetrics:
    """Explanations by method ("shap", "anchor")."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.waiting = Gauge(
            "dns_risk_explanations_waiting", "Explanations under way and waiting.", registry=registry
        )
        self._seconds = Histogram(
            "dns_risk_explanation_seconds",
            "Seconds from the start of an explanation to its end.",
            ("method",),
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._rows = Histogram(
            "dns_risk_explanation_rows",
            "Perturbed graphs that an explanation was made from.",
            ("method",),
            buckets=SIZE_BUCKETS,
            registry=registry,
        )
        self._truncated = Counter(
            "dns_risk_explanations_truncated",
            "Explanations that ended at their bound with the best answer so far.",
            registry=registry,
        )

    def explained(self, method: str, cost: Mapping[str, float], *, truncated: bool) -> None:
        """Count one explanation with what it cost."""
        self._seconds.labels(method).observe(cost["milliseconds"] / 1000)
        self._rows.labels(method).observe(cost["rows"])
        self._truncated.inc(truncated)
