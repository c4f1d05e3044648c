"""Metrics of every request, on the path of every request: counted in plain numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from serving.metrics import LATENCY_BUCKETS_S, cumulative


class RequestMetrics(Collector):
    """Requests by protocol ("rest", "grpc"), model and code ("200", "OK", "RESOURCE_EXHAUSTED", …).

    Counted in plain numbers and turned into metrics when scraped: prometheus_client's own cost an eighth of a
    request. One thread counts.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._inside: Counter[str] = Counter()
        self._buckets: dict[tuple[str, str], list[int]] = {}
        self._sums_s: defaultdict[tuple[str, str], float] = defaultdict(float)
        registry.register(self)

    def begin(self, protocol: str) -> None:
        """Count one request in."""
        self._inside[protocol] += 1

    def end(self, protocol: str, model: str, code: str, seconds: float) -> None:
        """Count one request out; `model` is a registered name or `UNKNOWN_MODEL`."""
        self._inside[protocol] -= 1
        self._requests[protocol, model, code] += 1
        key = (protocol, model)
        buckets = self._buckets.get(key)
        if buckets is None:
            buckets = self._buckets[key] = [0] * (len(LATENCY_BUCKETS_S) + 1)
        buckets[bisect_left(LATENCY_BUCKETS_S, seconds)] += 1
        self._sums_s[key] += seconds

    def collect(self) -> Iterator[Metric]:
        """The counts as Prometheus reads them."""
        requests = CounterMetricFamily(
            "dns_risk_requests", "Requests answered.", labels=("protocol", "model", "code")
        )
        for labels, count in list(self._requests.items()):
            requests.add_metric(labels, count)
        seconds = HistogramMetricFamily(
            "dns_risk_request_seconds",
            "Seconds from the first byte of a request seen to its answer.",
            labels=("protocol", "model"),
        )
        for key, counts in list(self._buckets.items()):
            seconds.add_metric(key, cumulative(LATENCY_BUCKETS_S, counts), self._sums_s[key])
        inside = GaugeMetricFamily(
            "dns_risk_in_flight", "Requests accepted and not yet answered.", labels=("protocol",)
        )
        for protocol, count in list(self._inside.items()):
            inside.add_metric((protocol,), count)
        yield from (requests, seconds, inside)
