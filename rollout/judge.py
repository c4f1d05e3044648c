"""Canary against stable: a rule each, with its numbers and its verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from rollout.evidence import Evidence, largest_shift, quantile, stability_index, wilson_lower
from rollout.policy import Policy

_FEWEST_FAILURES: Final = 5


class Verdict(StrEnum):
    """What a rule, or all together, say."""

    PASS = "pass"  # noqa: S105 - a verdict
    BREACH = "breach"
    NOT_ENOUGH = "not enough"


class Ruling(BaseModel):
    """One rule's numbers; `limit` is in the unit of `canary`, `note` says what the numbers are of."""

    model_config = ConfigDict(frozen=True)

    rule: str
    stable: float
    canary: float
    limit: float
    verdict: Verdict
    note: str = ""

    def __str__(self) -> str:
        numbers = f"stable {self.stable:.4g}, canary {self.canary:.4g}, limit {self.limit:.4g}"
        return f"{self.rule}: {self.verdict}: {numbers}{f' ({self.note})' if self.note else ''}"


def judge(stable: Evidence, canary: Evidence, policy: Policy) -> list[Ruling]:
    """Every rule's ruling on one window of both versions."""
    return [
        *_errors(stable, canary, policy),
        *_latency(stable, canary, policy),
        _shift("actions", stable.actions, canary.actions, policy.answers.max_action_shift, policy),
        _scores(stable, canary, policy),
        _shift("categories", stable.categories, canary.categories, policy.answers.max_category_shift, policy),
        *_feedback(stable, canary, policy),
    ]


def overall(rulings: list[Ruling]) -> Verdict:
    """One breach is a breach; a step passes when every rule does."""
    verdicts = {ruling.verdict for ruling in rulings}
    for verdict in (Verdict.BREACH, Verdict.NOT_ENOUGH):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS


def _errors(stable: Evidence, canary: Evidence, policy: Policy) -> Iterator[Ruling]:
    seen = canary.requests >= policy.traffic.min_requests
    # The lower bound breaches on few requests already if many of them fail; one or two may be an accident.
    counts = seen or canary.failed >= _FEWEST_FAILURES
    sure = wilson_lower(canary.failed, canary.requests) if counts else 0.0
    limit = stable.error_ratio + policy.errors.max_increase
    note = f"{canary.failed:.0f} of {canary.requests:.0f} failed"
    yield Ruling(
        rule="error ratio",
        stable=stable.error_ratio,
        canary=canary.error_ratio,
        limit=limit,
        verdict=_verdict(sure > limit, seen and canary.error_ratio <= limit),
        note=note,
    )
    budget = 1 - policy.errors.slo
    # A budget that the stable version burns as well is not the canary's fault.
    most = max(policy.errors.max_burn_rate, stable.error_ratio / budget)
    yield Ruling(
        rule="burn rate",
        stable=stable.error_ratio / budget,
        canary=canary.error_ratio / budget,
        limit=most,
        verdict=_verdict(sure / budget > most, seen and canary.error_ratio / budget <= most),
        note=note,
    )


def _verdict(breached: bool, passed: bool) -> Verdict:
    if breached:
        return Verdict.BREACH
    return Verdict.PASS if passed else Verdict.NOT_ENOUGH


def _latency(stable: Evidence, canary: Evidence, policy: Policy) -> Iterator[Ruling]:
    limits: Final = ((0.95, policy.latency.max_p95_ratio), (0.99, policy.latency.max_p99_ratio))
    enough = min(stable.requests, canary.requests) >= policy.traffic.min_requests
    for share, most in limits:
        before, after = (1000 * (quantile(e.seconds, share) or 0.0) for e in (stable, canary))
        limit = max(before * most, before + policy.latency.floor_ms)
        yield Ruling(
            rule=f"p{share * 100:.0f} ms",
            stable=before,
            canary=after,
            limit=limit,
            verdict=_verdict(enough and after > limit, enough),
        )


def _shift(
    rule: str, stable: Mapping[str, float], canary: Mapping[str, float], most: float, policy: Policy
) -> Ruling:
    kind, before, after, chance = largest_shift(stable, canary)
    enough = min(sum(stable.values()), sum(canary.values())) >= policy.traffic.min_names
    shift = abs(after - before)
    return Ruling(
        rule=rule,
        stable=before,
        canary=after,
        limit=most,
        verdict=_verdict(enough and shift > max(most, chance), enough),
        note=f"share of {kind}, shifted by {shift:.3f}" if kind else "",
    )


def _scores(stable: Evidence, canary: Evidence, policy: Policy) -> Ruling:
    index, chance = stability_index(stable.scores, canary.scores)
    enough = min(stable.names, canary.names) >= policy.traffic.min_names
    limit = policy.answers.max_psi + (chance if enough else 0.0)
    return Ruling(
        rule="scores",
        stable=0.0,
        canary=index if enough else 0.0,
        limit=limit,
        verdict=_verdict(enough and index > limit, enough),
        note="population stability index",
    )


def _feedback(stable: Evidence, canary: Evidence, policy: Policy) -> Iterator[Ruling]:
    if not policy.feedback.min_labels:
        return
    before, after = stable.precision, canary.precision
    fewest = min(sum(stable.labelled.values()), sum(canary.labelled.values()))
    enough = fewest >= policy.feedback.min_labels and before is not None and after is not None
    limit = (before or 0.0) - policy.feedback.max_precision_drop
    yield Ruling(
        rule="precision on feedback",
        stable=before or 0.0,
        canary=after or 0.0,
        limit=limit,
        verdict=_verdict(enough and (after or 0.0) < limit, enough),
        note=f"{fewest:.0f} labelled names blocked",
    )
