"""Service level objectives and the verdict on a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from load_tests.load.knee import FAR_PAST, Found
from load_tests.load.outcomes import Outcomes, percentile_ms
from load_tests.load.toml_file import Section

DEFAULT: Final = Path(__file__).parent / "slo.toml"

Ratio = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Requests(Section):
    """Shares of all requests."""

    availability: Annotated[float, Field(gt=0, lt=1)]
    refused_at_most: Ratio | None = None


class Latency(Section):
    """Milliseconds."""

    p50: Positive | None = None
    p95: Positive | None = None
    p99: Positive | None = None


class ErrorBudget(Section):
    """Failures in the worst window in multiples of what availability allows (SRE Workbook, chapter 5)."""

    window_s: Positive
    burn_rate: Positive


class KneeGoals(Section):
    """Only where a knee was searched for."""

    rate: Positive | None = None
    goodput_at_three_knees: Ratio | None = None


class Canary(Section):
    """Only where a version is named: what it should answer, and how fast beside the others."""

    version: str
    share: Ratio
    tolerance: Ratio = 0.03
    p95_ratio: Positive | None = None


class Generator(Section):
    """What makes a run say nothing about the services."""

    lag_p99_ms: Positive


class Slo(Section):
    """The whole file."""

    requests: Requests | None = None
    latency_ms: Latency = Latency()
    error_budget: ErrorBudget | None = None
    knee: KneeGoals = KneeGoals()
    canary: Canary | None = None
    generator: Generator = Generator(lag_p99_ms=100)


@dataclass(frozen=True, slots=True)
class Rule:
    """One objective: what was asked for, what was measured, and whether that is enough."""

    name: str
    limit: str
    measured: str
    met: bool


def judged(slo: Slo, outcomes: Outcomes) -> list[Rule]:
    """The verdict on a run in open loop; `outcomes` are those after the warm-up."""
    return [
        *_requests(slo, outcomes),
        *_latency(slo, outcomes),
        *_budget(slo, outcomes),
        *_canary(slo, outcomes),
    ]


def judged_knee(goals: KneeGoals, found: Found) -> list[Rule]:
    """The verdict on a search for the knee."""
    rate = found.knee.goodput if found.knee else 0.0
    rules = []
    if goals.rate is not None:
        rules.append(Rule("knee, requests/s", f">= {goals.rate:g}", f"{rate:.0f}", rate >= goals.rate))
    if goals.goodput_at_three_knees is not None:
        kept = found.retained(FAR_PAST)
        rules.append(
            Rule(
                "goodput at three knees, of the best",
                f">= {goals.goodput_at_three_knees:g}",
                "not reached" if kept is None else f"{kept:.3f}",
                kept is not None and kept >= goals.goodput_at_three_knees,
            )
        )
    return rules


def inconclusive(slo: Slo, outcomes: Outcomes) -> str:
    """Why a run says nothing about the services; "" where it does."""
    if not len(outcomes):
        return "no request was due after the warm-up"
    lag = percentile_ms(outcomes.lag_ms, 0.99) or 0.0
    if lag <= slo.generator.lag_p99_ms:
        return ""
    return (
        f"the generator sent 1 % of the requests more than {lag:.0f} ms late, more than "
        f"{slo.generator.lag_p99_ms:g} ms: use more --workers, another machine, or a lower --scale"
    )


def _requests(slo: Slo, outcomes: Outcomes) -> Iterator[Rule]:
    if slo.requests is None:
        return
    share = float(outcomes.good.mean())
    limit = slo.requests.availability
    yield Rule("availability", f">= {limit:.4%}", f"{share:.4%}", share >= limit)
    if slo.requests.refused_at_most is not None:
        refused = float(outcomes.refused.mean())
        most = slo.requests.refused_at_most
        yield Rule("refused", f"<= {most:.2%}", f"{refused:.2%}", refused <= most)


def _latency(slo: Slo, outcomes: Outcomes) -> Iterator[Rule]:
    answered = outcomes.where(outcomes.good).latency_ms
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        limit = getattr(slo.latency_ms, name)
        if limit is not None:
            value = percentile_ms(answered, share)
            shown = "nothing answered" if value is None else f"{value:.1f} ms"
            yield Rule(f"{name} latency", f"<= {limit:g} ms", shown, value is not None and value <= limit)


def _budget(slo: Slo, outcomes: Outcomes) -> Iterator[Rule]:
    if slo.requests is None or slo.error_budget is None:
        return
    window_s, most = slo.error_budget.window_s, slo.error_budget.burn_rate
    worst = worst_burn_rate(outcomes, window_s, slo.requests.availability)
    yield Rule(f"error budget, worst {window_s:g} s", f"burn rate <= {most:g}", f"{worst:.1f}", worst <= most)


def worst_burn_rate(outcomes: Outcomes, window_s: float, availability: float) -> float:
    """The failed share of the worst window by the share that may fail; windows stand side by side."""
    windows = (outcomes.intended_s // window_s).astype(np.int64)
    all_of = np.bincount(windows)
    failed = np.bincount(windows, ~outcomes.good)
    return float((failed[all_of > 0] / all_of[all_of > 0]).max() / (1 - availability))


def _canary(slo: Slo, outcomes: Outcomes) -> Iterator[Rule]:
    if slo.canary is None:
        return
    goal, good = slo.canary, outcomes.where(outcomes.good)
    of_canary = good.versions == goal.version
    share = float(of_canary.mean()) if len(good) else 0.0
    met = abs(share - goal.share) <= goal.tolerance
    wanted = f"{goal.share:.1%} ± {goal.tolerance:.1%}"
    yield Rule(
        f"share of version {goal.version}", wanted, f"{share:.1%}", abs(share - goal.share) <= goal.tolerance
    )
    if goal.p95_ratio is not None:
        own, others = (percentile_ms(good.where(m).latency_ms, 0.95) for m in (of_canary, ~of_canary))
        ratio = own / others if own and others else None
        shown = "one of them never answered" if ratio is None else f"{ratio:.2f}"
        met = ratio is not None and ratio <= goal.p95_ratio
        yield Rule(f"p95 of version {goal.version} by the others'", f"<= {goal.p95_ratio:g}", shown, met)
