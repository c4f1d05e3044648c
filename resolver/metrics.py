"""The sidecar's Prometheus metrics: read from the parts when somebody asks; counting costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from resolver.sidecar import Sidecar


Value = float | Mapping[str, float]
"""A number, or numbers by label."""


class Described(NamedTuple):
    """A metric: its name, kind, label and help, and what it is just now."""

    name: str
    kind: str
    label: str
    text: str
    value: Callable[[Sidecar], Value]


def _notifies(sidecar: Sidecar) -> Mapping[str, float]:
    notifiers = sidecar.publisher.notifiers
    return {"heard": sum(n.sent for n in notifiers), "unheard": sum(n.unheard for n in notifiers)}


# fmt: off
# ruff: noqa: E501 - a table
METRICS: Final = (
    Described("dns_risk_resolver_frames_total", "counter", "outcome", "dnstap frames by what became of them.", lambda s: dict(s.tap.counts)),
    Described("dns_risk_resolver_streams", "gauge", "", "dnstap connections that are open.", lambda s: len(s.tap.streams)),
    Described("dns_risk_resolver_names_total", "counter", "outcome", 'Names seen: "cached", "listed", "local", "reverse", "queued", "shed".', lambda s: {**s.names, "shed": s.pending.shed}),
    Described("dns_risk_resolver_pending_names", "gauge", "", "Names that wait to be scored.", lambda s: len(s.pending)),
    Described("dns_risk_resolver_cached_names", "gauge", "", "Scores that are remembered.", lambda s: len(s.cache)),
    Described("dns_risk_resolver_calls_total", "counter", "code", "Calls to the transformer by gRPC status.", lambda s: dict(s.scorer.calls)),
    Described("dns_risk_resolver_call_seconds_total", "counter", "", "Seconds that answered calls took.", lambda s: s.scorer.call_s),
    Described("dns_risk_resolver_transformer_up", "gauge", "", "1 while the transformer is asked as usual, 0 while it is left alone.", lambda s: float(s.scorer.breaker.closed)),
    Described("dns_risk_resolver_records_left_out_total", "counter", "reason", 'Records of answers that are no evidence: "unrelated" to the name, or "unusable".', lambda s: dict(s.records)),
    Described("dns_risk_resolver_verdicts_total", "counter", "action", "Scored names by what the policy says of them.", lambda s: dict(s.verdicts)),
    Described("dns_risk_resolver_answers_total", "counter", "outcome", "Datagrams answered, by outcome.", lambda s: dict(s.questions.counts)),
    Described("dns_risk_resolver_zone_names", "gauge", "", "Names in the zone by their scores.", lambda s: len(s.publisher.zone.rules) - len(s.publisher.zone.pinned)),
    Described("dns_risk_resolver_zone_listed_rules", "gauge", "", "Rules by which the allowlist's names pass.", lambda s: len(s.publisher.zone.pinned)),
    Described("dns_risk_resolver_zone_kept_out_total", "counter", "reason", "Names that their score would have blocked, but not the law of names.", lambda s: dict(s.publisher.kept_out)),
    Described("dns_risk_resolver_zone_kept", "gauge", "", "1 while the zone is on disk as it is served; 0 while a disk cannot take it.", lambda s: float(not s.publisher.journal.lost)),
    Described("dns_risk_resolver_zone_serial", "gauge", "", "Serial of the zone.", lambda s: s.publisher.zone.serial),
    Described("dns_risk_resolver_zone_shed_total", "counter", "", "Names that found no room in the zone.", lambda s: s.publisher.zone.shed),
    Described("dns_risk_resolver_transfers_total", "counter", "kind", "Requests to the zone's primary by kind.", lambda s: dict(s.publisher.primary.counts)),
    Described("dns_risk_resolver_notifies_total", "counter", "outcome", "Resolvers told of a change.", _notifies),
    Described("dns_risk_resolver_feed_records", "gauge", "", "Passive-DNS records gathered for the next file.", lambda s: len(s.feed) if s.feed is not None else 0),
    Described("dns_risk_resolver_feed_shed_total", "counter", "", "Passive-DNS records left out, as there were too many.", lambda s: s.feed.shed if s.feed is not None else 0),
    Described("dns_risk_resolver_failures_total", "counter", "part", "Turns of what goes on by itself that failed.", lambda s: dict(s.upkeep.failures)),
    Described("dns_risk_resolver_imports_total", "counter", "outcome", "Imports into the graph store.", lambda s: dict(s.imports)),
)
# fmt: on


class _Parts(Collector):
    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar

    def collect(self) -> Iterator[Metric]:
        for metric in METRICS:
            family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            labels = [metric.label] if metric.label else []
            samples = family(metric.name, metric.text, labels=labels)
            for label, value in _samples(metric.value(self._sidecar)):
                samples.add_metric([label] if labels else [], value)
            yield samples


def registry_of(sidecar: Sidecar) -> CollectorRegistry:
    """Everything that /metrics shows."""
    registry = CollectorRegistry()
    registry.register(_Parts(sidecar))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def _samples(value: Value) -> Iterable[tuple[str, float]]:
    return sorted(value.items()) if isinstance(value, Mapping) else [("", value)]
