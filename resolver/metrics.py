"""The sidecar's Prometheus metrics: read from the parts when somebody asks; counting costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from resolver.sidecar import Sidecar


class Described(NamedTuple):
    """A metric: its name, kind, label and help."""

    name: str
    kind: str
    label: str
    text: str


# fmt: off
# ruff: noqa: E501 - a table
METRICS: Final = (
    Described("dns_risk_resolver_frames_total", "counter", "outcome", "dnstap frames by what became of them."),
    Described("dns_risk_resolver_streams", "gauge", "", "dnstap connections that are open."),
    Described("dns_risk_resolver_names_total", "counter", "outcome", 'Names seen: "cached", "listed", "queued", "shed".'),
    Described("dns_risk_resolver_pending_names", "gauge", "", "Names that wait to be scored."),
    Described("dns_risk_resolver_cached_names", "gauge", "", "Scores that are remembered."),
    Described("dns_risk_resolver_calls_total", "counter", "code", "Calls to the transformer by gRPC status."),
    Described("dns_risk_resolver_call_seconds_total", "counter", "", "Seconds that answered calls took."),
    Described("dns_risk_resolver_transformer_up", "gauge", "", "1 while the transformer is asked as usual, 0 while it is left alone."),
    Described("dns_risk_resolver_verdicts_total", "counter", "action", "Scored names by what the policy says of them."),
    Described("dns_risk_resolver_answers_total", "counter", "outcome", "Datagrams answered, by outcome."),
    Described("dns_risk_resolver_zone_names", "gauge", "", "Names in the zone."),
    Described("dns_risk_resolver_zone_serial", "gauge", "", "Serial of the zone."),
    Described("dns_risk_resolver_zone_shed_total", "counter", "", "Names that found no room in the zone."),
    Described("dns_risk_resolver_transfers_total", "counter", "kind", "Requests to the zone's primary by kind."),
    Described("dns_risk_resolver_notifies_total", "counter", "outcome", "Resolvers told of a change."),
    Described("dns_risk_resolver_feed_records", "gauge", "", "Passive-DNS records gathered for the next file."),
    Described("dns_risk_resolver_feed_shed_total", "counter", "", "Passive-DNS records left out, as there were too many."),
    Described("dns_risk_resolver_imports_total", "counter", "outcome", "Imports into the graph store."),
)
# fmt: on


class _Parts(Collector):
    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar

    def collect(self) -> Iterator[Metric]:
        values = values_of(self._sidecar)
        for metric in METRICS:
            family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            labels = [metric.label] if metric.label else []
            samples = family(metric.name, metric.text, labels=labels)
            for label, value in _samples(values[metric.name]):
                samples.add_metric([label] if labels else [], value)
            yield samples


def values_of(sidecar: Sidecar) -> dict[str, float | Mapping[str, float]]:
    """The value of each metric, or its values by label."""
    zone = sidecar.zone
    values: list[float | Mapping[str, float]] = [
        dict(sidecar.tap.counts),
        len(sidecar.tap.streams),
        {**sidecar.names, "shed": sidecar.pending.shed},
        len(sidecar.pending),
        len(sidecar.cache),
        dict(sidecar.scorer.calls),
        sidecar.scorer.call_s,
        float(sidecar.scorer.breaker.closed),
        dict(sidecar.verdicts),
        dict(sidecar.questions.counts),
        len(zone.names),
        zone.serial,
        zone.shed,
        dict(sidecar.primary.counts),
        {
            "heard": sum(notifier.sent for notifier in sidecar.notifiers),
            "unheard": sum(notifier.unheard for notifier in sidecar.notifiers),
        },
        len(sidecar.feed) if sidecar.feed else 0,
        sidecar.feed.shed if sidecar.feed else 0,
        dict(sidecar.imports),
    ]
    return {metric.name: value for metric, value in zip(METRICS, values, strict=True)}


def registry_of(sidecar: Sidecar) -> CollectorRegistry:
    """Everything that /metrics shows."""
    registry = CollectorRegistry()
    registry.register(_Parts(sidecar))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def _samples(value: float | Mapping[str, float]) -> Iterable[tuple[str, float]]:
    return sorted(value.items()) if isinstance(value, Mapping) else [("", value)]
