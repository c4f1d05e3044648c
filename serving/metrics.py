"""Every Prometheus metric of the services: names, units and help in one place.

Each class is constructed once per process by whoever feeds it, so that a service exports only what it has.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from contract.feature_schema import FEATURE_SCHEMA
from contract.version import CONTRACT_VERSION

LATENCY_BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SHORT_BUCKETS_S: Final = (0.0001, 0.0002, 0.0005, *LATENCY_BUCKETS_S)
SIZE_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384, 65536)

# Twenty equal parts: what a canary's scores are compared by.
SCORE_BUCKETS: Final = np.round(np.arange(0.05, 1.0001, 0.05), 2)

# Label of requests for a model that is not here: an attacker must not be able to create label values.
UNKNOWN_MODEL: Final = "unknown"


class BuildMetrics:
    """What a process is, as labels of a constant: by these a rollout sees who fits whom."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._info = Gauge(
            "dns_risk_build_info",
            "1, with the versions of this process as labels.",
            ("service", "release", "contract_version", "feature_schema", "model_version", "weights_sha256"),
            registry=registry,
        )

    def announce(self, service: str, release: str, model_version: str = "", weights_sha256: str = "") -> None:
        """State the versions; a service without a model of its own has no model version and no weights."""
        own = (service, release, CONTRACT_VERSION, FEATURE_SCHEMA, model_version, weights_sha256)
        self._info.labels(*own).set(1)


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
            'Domains by outcome ("scored", "not_a_name", "answers_ignored", "lexical_only").',
            ("outcome",),
            registry=registry,
        )
        self._cache = Counter(
            "dns_risk_cache_names",
            'Names looked up in the score cache, by outcome ("hit", "miss").',
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
        self.snapshot_refusals = Counter(
            "dns_risk_snapshot_refusals",
            "Looks at the graph store that found a current snapshot that cannot be served, by reason "
            '("unreadable", "current", "version", "damaged", "unexpected"); counted as long as that is so.',
            ("reason",),
            registry=registry,
        )

    def looked_up(self, hits: int, misses: int) -> None:
        """Count the names of one request that were known, and those that were not."""
        self._cache.labels("hit").inc(hits)
        self._cache.labels("miss").inc(misses)


class AnswerMetrics:
    """What clients were told, by the model version that said it: the evidence for or against a canary."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._actions = Counter(
            "dns_risk_actions",
            'Scored domains by action ("allow", "monitor", "block").',
            ("action", "model_version"),
            registry=registry,
        )
        self._categories = Counter(
            "dns_risk_categories",
            "Scored domains by category.",
            ("category", "model_version"),
            registry=registry,
        )
        self._scores = ScoreHistogram()
        registry.register(self._scores)

    def answered(
        self, scores: np.ndarray, actions: np.ndarray, categories: np.ndarray, model_version: str
    ) -> None:
        """Count the scored rows of one request; the words are bytes."""
        self._scores.observe(scores, model_version)
        for action, count in Tally(actions.tolist()).items():
            self._actions.labels(action.decode(), model_version).inc(count)
        for category, count in Tally(categories.tolist()).items():
            self._categories.labels(category.decode(), model_version).inc(count)


def cumulative(bounds: Iterable[float], counts: Sequence[float | int]) -> list[tuple[str, float]]:
    """Counts of the parts between bounds as Prometheus' buckets, each with all below it; the last is +Inf.

    >>> cumulative([0.5, 1.0], [1, 2, 3])
    [('0.5', 1.0), ('1.0', 3.0), ('+Inf', 6.0)]
    """
    names = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(names, accumulate(map(float, counts)), strict=True))


class ScoreHistogram(Collector):
    """`dns_risk_score`: a histogram that counts a whole request at once, not a name at a time."""

    def __init__(self) -> None:
        self._counts: dict[str, np.ndarray] = {}
        self._sums: dict[str, float] = {}

    def observe(self, scores: np.ndarray, model_version: str) -> None:
        """Count scores in [0, 1]."""
        # 0.05 as float32 is above 0.05: rounding keeps a bound in its own bucket.
        part = np.searchsorted(SCORE_BUCKETS, np.round(scores.astype(np.float64), 6))
        counts = np.bincount(part, minlength=len(SCORE_BUCKETS))
        self._counts[model_version] = self._counts.get(model_version, 0) + counts
        self._sums[model_version] = self._sums.get(model_version, 0.0) + float(scores.sum())

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The histogram as Prometheus reads it: cumulative, the last bucket +Inf."""
        family = HistogramMetricFamily(
            "dns_risk_score", "Risk scores given, by model version.", labels=["model_version"]
        )
        for version, counts in list(self._counts.items()):
            family.add_metric(
                [version], cumulative(SCORE_BUCKETS, [*counts.tolist(), 0]), self._sums[version]
            )
        yield family


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
