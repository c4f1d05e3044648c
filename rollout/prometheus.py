"""What Prometheus saw of one version between two moments.

Counters are read as raw samples and their growth is computed here: PromQL's `increase` leaves out what a
series counted before its first sample, and the first failure of a canary is often just that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from rollout.evidence import Evidence

# Longest time between two samples of a series that is alive.
LOOKBACK_S: Final = 120.0
_TIMEOUT_S: Final = 10.0
# A caller's own mistakes are 4xx; these are ours.
_FAILED_GRPC: Final = frozenset(
    {"UNAVAILABLE", "INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "DATA_LOSS"}
)


class NoEvidence(Exception):
    """Prometheus is away, or refuses the query."""


@dataclass(frozen=True, slots=True)
class Version:
    """How the series of one version are told from those of the other, in PromQL.

    Fields:
        requests  selects requests and their latency
        answers   selects scores, actions, categories
        build     selects `dns_risk_build_info` of its processes
        feedback  selects labelled feedback
    """

    requests: str
    answers: str
    build: str
    feedback: str


@dataclass(frozen=True, slots=True)
class Build:
    """What one process said of itself."""

    service: str
    contract_version: str
    feature_schema: str
    model_version: str
    weights_sha256: str = ""


class Prometheus:
    """A Prometheus server by its HTTP API."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def evidence(self, version: Version, start: float, end: float) -> Evidence:
        """What the version did between two Unix times.

        Raises:
            NoEvidence: Prometheus does not answer.
        """

        def grown(metric: str, selector: str) -> list[tuple[Mapping[str, str], float]]:
            return self.growth(f"{metric}{{{selector}}}", start, end)

        requests = grown("dns_risk_requests_total", version.requests)
        return Evidence(
            requests=sum(count for _, count in requests),
            failed=sum(count for labels, count in requests if is_failure(labels.get("code", ""))),
            seconds=_uncumulated(grown("dns_risk_request_seconds_bucket", version.requests)),
            scores=_uncumulated(grown("dns_risk_score_bucket", version.answers)),
            actions=_by("action", grown("dns_risk_actions_total", version.answers)),
            categories=_by("category", grown("dns_risk_categories_total", version.answers)),
            labelled=_by("label", grown("dns_risk_feedback_total", f'{version.feedback},action="block"')),
        )

    def builds(self, version: Version, at: float) -> list[Build]:
        """The processes of a version that are alive.

        Raises:
            NoEvidence: Prometheus does not answer.
        """
        query = f"dns_risk_build_info{{{version.build}}}"
        fields = ("service", "contract_version", "feature_schema", "model_version", "weights_sha256")
        return [
            Build(*(series["metric"].get(field, "") for field in fields)) for series in self._query(query, at)
        ]

    def growth(self, series: str, start: float, end: float) -> list[tuple[Mapping[str, str], float]]:
        """How much each counter grew, restarts counted from zero, with its labels.

        Raises:
            NoEvidence: Prometheus does not answer.
        """
        window_s = max(1, round(end - start + LOOKBACK_S))
        found = self._query(f"{series}[{window_s}s]", end)
        return [(entry["metric"], grown(list(_samples(entry)), start)) for entry in found]

    def _query(self, query: str, at: float) -> list[Any]:
        try:
            asked = {"query": query, "time": f"{at:.3f}"}
            answer = httpx.get(f"{self._url}/api/v1/query", params=asked, timeout=_TIMEOUT_S)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NoEvidence(f"Prometheus: {type(error).__name__} {error}") from None
        if body.get("status") != "success":
            raise NoEvidence(f"Prometheus: {answer.status_code} {body.get('error', '')}")
        return list(body["data"]["result"])


def is_failure(code: str) -> bool:
    """Whether a status is the service's fault.

    >>> [is_failure(code) for code in ("200", "404", "429", "503", "OK", "INVALID_ARGUMENT", "UNAVAILABLE")]
    [False, False, True, True, False, False, True]
    """
    return code in _FAILED_GRPC or code == "429" or (len(code) == 3 and code.startswith("5"))


def _samples(entry: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    return ((float(at), float(value)) for at, value in entry["values"])


def grown(samples: list[tuple[float, float]], start: float) -> float:
    """Growth of a counter after `start`; one that was not there before began at zero.

    >>> grown([(0, 5), (10, 7), (20, 1)], start=5)
    3.0
    >>> grown([(10, 40)], start=5)
    40.0
    """
    before = [value for at, value in samples if at <= start]
    last, total = (before[-1] if before else 0.0), 0.0
    for _, value in (sample for sample in samples if sample[0] > start):
        total += value - last if value >= last else value
        last = value
    return total


def _by(label: str, growths: list[tuple[Mapping[str, str], float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for labels, count in growths:
        sums[labels.get(label, "")] = sums.get(labels.get(label, ""), 0.0) + count
    return {name: count for name, count in sums.items() if count}


def _uncumulated(growths: list[tuple[Mapping[str, str], float]]) -> dict[str, float]:
    cumulative: dict[str, float] = {}
    for labels, count in growths:
        bound = labels["le"]
        cumulative[bound] = cumulative.get(bound, 0.0) + count
    result, below = {}, 0.0
    for bound in sorted(cumulative, key=float):
        # Samples of one scrape fit together; of several pods at a window's edge they may not, by a little.
        result[bound] = max(0.0, cumulative[bound] - below)
        below = max(below, cumulative[bound])
    return result
