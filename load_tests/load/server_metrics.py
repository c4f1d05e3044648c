"""What the services say of themselves while they are under load: their Prometheus metrics, once a second."""

from __future__ import annotations

import itertools
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from prometheus_client.parser import text_string_to_metric_families

_PERIOD_S: Final = 1.0
_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A line of the report: the value of a gauge, the growth of a counter, or the mean of a histogram."""

    title: str
    kind: str
    """`gauge`, `rate` or `mean`"""
    metric: str
    scale: float = 1.0


MEASURES: Final = (
    Measure("requests in flight", "gauge", "dns_risk_in_flight"),
    Measure("requests waiting for a batch", "gauge", "dns_risk_queue_depth"),
    Measure("graphs a batch", "mean", "dns_risk_batch_graphs"),
    Measure("wait for a batch, ms", "mean", "dns_risk_queue_seconds", 1000),
    Measure("model, ms a batch", "mean", "dns_risk_model_seconds", 1000),
    Measure("features, ms a request", "mean", "dns_risk_feature_seconds", 1000),
    Measure("call to the predictor, ms", "mean", "dns_risk_predictor_seconds", 1000),
    Measure("processor, cores", "rate", "process_cpu_seconds_total"),
    Measure("memory, MiB", "gauge", "process_resident_memory_bytes", 1 / (1 << 20)),
)

Totals = Mapping[str, float]
Series = list[tuple[float, float]]


@dataclass(slots=True)
class Watch:
    """Reads the metrics of some services in a thread of its own, for the length of a block."""

    urls: Mapping[str, str]
    """metrics page by service"""
    samples: dict[str, list[tuple[float, Totals]]] = field(default_factory=lambda: defaultdict(list))
    trouble: dict[str, str] = field(default_factory=dict)
    """why a service's metrics are missing, last reason"""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2 * _TIMEOUT_S * max(1, len(self.urls)))

    def _read(self) -> None:
        while True:
            for service, url in self.urls.items():
                try:
                    self.samples[service].append((time.monotonic(), totals_of(_page(url))))
                except (OSError, ValueError) as error:
                    self.trouble[service] = f"{url}: {error}"
            if self._stop.wait(_PERIOD_S):
                return

    def series(self, start_s: float) -> dict[str, dict[str, Series]]:
        """Points (seconds from the start, value) by measure and service, of what is exported at all."""
        found: dict[str, dict[str, Series]] = {}
        for measure in MEASURES:
            lines = {
                service: [(at - start_s, value) for at, value in points_of(measure, samples)]
                for service, samples in self.samples.items()
            }
            if kept := {service: line for service, line in lines.items() if line}:
                found[measure.title] = kept
        return found


def totals_of(page: str) -> Totals:
    r"""The sum of every metric over its labels.

    >>> totals_of('a{code="200"} 1\na{code="400"} 2\n')
    {'a': 3.0}
    """
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
    return totals


def points_of(measure: Measure, samples: list[tuple[float, Totals]]) -> Series:
    """The values of a measure over time, without those moments at which there is none."""
    if measure.kind == "gauge":
        return [(at, t[measure.metric] * measure.scale) for at, t in samples if measure.metric in t]
    points = []
    for (before_s, before), (at, now) in itertools.pairwise(samples):
        if measure.kind == "rate":
            grown, over = _growth(before, now, measure.metric), at - before_s
        else:
            grown = _growth(before, now, f"{measure.metric}_sum")
            over = _growth(before, now, f"{measure.metric}_count")
        if measure.metric in now or f"{measure.metric}_sum" in now:
            # A restarted process counts from nothing again: that second says nothing.
            points += [(at, measure.scale * grown / over)] if over > 0 and grown >= 0 else []
    return points


def _growth(before: Totals, now: Totals, metric: str) -> float:
    return now.get(metric, 0.0) - before.get(metric, 0.0)


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - given by who runs this
        return answer.read(16 << 20).decode()
