"""Each rule passes an equal canary, finds a worse one, and waits while it has seen little."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.evidence import Evidence, largest_shift, quantile, stability_index, wilson_lower
from rollout.judge import Verdict, judge, overall
from tests.rollout.samples import GOOD, POLICY


def changed(**fields: Any) -> Evidence:
    return GOOD.model_copy(update=fields)


def ruling(rule: str, canary: Evidence, stable: Evidence = GOOD) -> Verdict:
    return next(r.verdict for r in judge(stable, canary, POLICY) if r.rule == rule)


def test_an_equal_canary_passes_every_rule() -> None:
    """The same numbers on both sides."""
    assert overall(judge(GOOD, GOOD, POLICY)) is Verdict.PASS


@pytest.mark.parametrize(
    ("rule", "canary"),
    [
        ("error ratio", changed(failed=100)),
        ("burn rate", changed(failed=100)),
        ("p95 ms", changed(seconds={"0.05": 1000, "0.1": 1000})),
        ("p99 ms", changed(seconds={"0.005": 1950, "0.5": 50})),
        ("actions", changed(actions={"allow": 1500, "monitor": 150, "block": 350})),
        ("categories", changed(categories={"benign": 1400, "dga": 600})),
        ("scores", changed(scores={"0.05": 200, "0.5": 300, "0.95": 1500})),
    ],
)
def test_a_worse_canary_breaches_its_rule(rule: str, canary: Evidence) -> None:
    """And so the step as a whole."""
    assert ruling(rule, canary) is Verdict.BREACH
    assert overall(judge(GOOD, canary, POLICY)) is Verdict.BREACH


def test_a_failing_canary_is_found_on_few_requests_and_an_accident_is_not() -> None:
    """Ten failures of twenty are no chance; one of twenty may be, and so may two of the first three."""
    assert ruling("error ratio", Evidence(requests=20, failed=10)) is Verdict.BREACH
    assert ruling("error ratio", Evidence(requests=20, failed=1)) is Verdict.NOT_ENOUGH
    assert ruling("error ratio", Evidence(requests=3, failed=2)) is Verdict.NOT_ENOUGH


def test_little_traffic_is_waited_for() -> None:
    """No rule passes on too few requests or names, whatever they say."""
    few = GOOD.model_copy(
        update={
            "requests": 40.0,
            "failed": 0.0,
            **{
                f: {k: v / 50 for k, v in getattr(GOOD, f).items()}
                for f in ("seconds", "scores", "actions", "categories")
            },
        }
    )
    assert {r.verdict for r in judge(GOOD, few, POLICY)} == {Verdict.NOT_ENOUGH}


def test_failures_of_the_stable_version_are_not_the_canarys_fault() -> None:
    """Both fail alike: the network, not the model."""
    assert ruling("burn rate", changed(failed=200), changed(failed=200)) is Verdict.PASS


def test_feedback_is_asked_for_by_the_policy_only() -> None:
    """Precision on labelled names falls: a breach where labels are required."""
    asked = POLICY.model_copy(update={"feedback": POLICY.feedback.model_copy(update={"min_labels": 50})})
    stable = changed(labelled={"malicious": 95.0, "benign": 5.0})
    canary = changed(labelled={"malicious": 60.0, "benign": 40.0})
    assert "precision on feedback" not in [r.rule for r in judge(stable, canary, POLICY)]
    found = {r.rule: r for r in judge(stable, canary, asked)}["precision on feedback"]
    assert (found.verdict, found.canary) == (Verdict.BREACH, 0.6)
    assert {r.rule: r.verdict for r in judge(GOOD, GOOD, asked)}[
        "precision on feedback"
    ] is Verdict.NOT_ENOUGH


counts = st.dictionaries(st.sampled_from(["0.1", "0.2", "0.5", "1.0"]), st.integers(1, 10_000), min_size=1)


@given(counts, st.floats(0.01, 1.0))
def test_a_quantile_lies_within_its_histogram(histogram: dict[str, float], share: float) -> None:
    """Between zero and the largest bound that has a count, and rising with the share."""
    found = quantile(histogram, share)
    assert found is not None
    assert 0 <= found <= max(float(bound) for bound in histogram) + 1e-9
    assert found <= (quantile(histogram, 1.0) or 0.0) + 1e-9


@given(counts, counts)
def test_the_stability_index_is_no_distance_below_zero(a: dict[str, float], b: dict[str, float]) -> None:
    """Never negative, the same both ways, zero for a population and itself."""
    there, back = stability_index(a, b)[0], stability_index(b, a)[0]
    assert there >= 0
    assert there == pytest.approx(back)
    assert stability_index(a, a)[0] == pytest.approx(0)


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_the_lower_bound_is_below_the_ratio(failed: int, more: int) -> None:
    """Wilson's bound is a lower one."""
    assert 0 <= wilson_lower(failed, failed + more) <= failed / (failed + more) + 1e-12


def test_the_largest_shift_names_its_kind() -> None:
    """A kind that only one version has is a shift as well."""
    kind, before, after, _ = largest_shift({"allow": 100}, {"allow": 60, "block": 40})
    assert (kind, before, after) in {("allow", 1.0, 0.6), ("block", 0.0, 0.4)}
