"""Made-up reports before the shipped policy: what is worse fails, and says why."""

from __future__ import annotations

from typing import Any

import pytest

from rollout.gate_file import GateFile, Judged, Verdict
from tests.training.reports import TESTS, cost, estimate, figures, report
from training.evaluation.report import Report
from training.gate.judge import judge, matches
from training.gate.policy import Policy, read_policy
from training.gate.versions import Evaluated

POLICY, _ = read_policy()


def evaluated(made: Report) -> Evaluated:
    judged = Judged(model_version="2", weights_sha256="0" * 64, report_sha256="1" * 64)
    return Evaluated(made, judged)


def gate(new: Report, old: Report | None = None, policy: Policy = POLICY, **options: Any) -> GateFile:
    return judge(evaluated(new), evaluated(old or report()), policy, "2" * 64, **options)


def failures(found: GateFile) -> dict[str, str]:
    """Reasons by figure and metric."""
    return {f"{r.figure} {r.metric}": r.reason for r in found.rulings if r.fails}


def one_rule(**fields: Any) -> Policy:
    """A policy of one rule, with the shipped rest."""
    rule = {"figure": "names/strong", "metric": "auc"} | fields
    return Policy.model_validate(POLICY.model_dump() | {"rules": [rule]})


def test_an_equal_version_passes() -> None:
    """Every rule of the shipped policy, with both numbers and their intervals in each ruling of a figure."""
    found = gate(report())
    assert found.passed
    assert all(ruling.verdict is Verdict.PASSED for ruling in found.rulings)
    strong = next(r for r in found.rulings if (r.figure, r.metric) == ("names/strong", "auc"))
    assert strong.candidate == strong.baseline
    assert strong.candidate is not None
    assert (strong.candidate.value, strong.candidate.low, strong.candidate.high) == (0.97, 0.96, 0.98)


@pytest.mark.parametrize(
    ("path", "worse", "said"),
    [
        ("names/strong", {"calibration_error": estimate(0.026)}, "worse than the baseline by 0.0060"),
        ("names/strong", {"calibration_error": estimate(0.05)}, "0.0500 is more than 0.03"),
        ("names/strong", {"auc": estimate(0.93)}, "0.9300 is less than 0.937"),
        ("names/strong/family/suppobox", {"tpr_at_fpr_1pct": estimate(0.6)}, "by 0.1500, allowed are 0.05"),
        ("graph/with-evidence", {"accuracy": None}, "the candidate lacks it"),
        ("robustness/charbot", {"auc": estimate(0.5)}, "by 0.4700"),
        ("graph/gain-of-evidence", {"auc": estimate(0.0)}, "0.0000 is less than 0.05"),
    ],
)
def test_a_worse_figure_fails_with_the_reason(path: str, worse: dict[str, Any], said: str) -> None:
    """Whether against a bound or against the baseline; and nothing else fails with it."""
    found = gate(report({path: figures(**worse)}))
    assert not found.passed
    assert list(failures(found)) == [f"{path} {next(iter(worse))}"]
    assert said in next(iter(failures(found).values()))


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (report(cost=cost(microseconds_per_graph=121.0)), "121.0 is more than 1.2 times 100.0"),
        (report(cost=cost(weights_bytes=5_000_001)), "5,000,001 bytes are more than 5,000,000"),
        (report({"names/strong/family/qakbot": None}), "the candidate lacks it"),
        (report({"graph/name-alone": None}), "the baseline has this figure"),
        (report(feature_schema="another"), "different tests cannot be compared"),
        (report(data=TESTS | {"idn_public_test.csv.gz": "f" * 64}), "candidate's is ffffffffffff"),
        (report(data={"domains_train.csv.gz": "e" * 64}), "candidate's is none"),
        (report({"idn": figures(rows=900)}), "other tests: 900 rows"),
    ],
)
def test_a_slower_bigger_or_incomparable_version_fails(new: Report, said: str) -> None:
    """With the numbers that speak against it."""
    found = gate(new)
    assert not found.passed
    assert any(said in reason for reason in failures(found).values())


def test_limits_themselves_are_allowed() -> None:
    """1.2 times, five million bytes, and a loss of just what is allowed, though 0.97 - 0.967 is not 0.003."""
    just = report(
        {"names/strong": figures(auc=estimate(0.967))},
        cost=cost(microseconds_per_graph=120.0, weights_bytes=5_000_000),
    )
    assert gate(just).passed


def test_other_tests_leave_no_loss_uncounted() -> None:
    """With another test file no rule against the baseline passes, though the figures are equal."""
    found = gate(report(data=TESTS | {"domains_public_test.csv.gz": "f" * 64}))
    compared = [r for r in found.rulings if "no worse by" in r.bounds]
    assert compared
    assert {r.verdict for r in compared} == {Verdict.NOT_COMPARABLE}


def test_times_of_two_machines_are_never_compared() -> None:
    """They fail the gate, or are shown without counting; the size counts all the same."""
    elsewhere = report(cost=cost(machine="another", microseconds_per_graph=1.0))
    assert list(failures(gate(elsewhere))) == ["cost microseconds_per_graph"]
    lenient = gate(elsewhere, same_machine_only=False)
    assert lenient.passed
    shown = next(r for r in lenient.rulings if r.metric == "microseconds_per_graph")
    assert (shown.verdict, shown.counts) == (Verdict.NOT_COMPARABLE, False)
    bigger = report(cost=cost(machine="another", weights_bytes=6_000_000))
    assert list(failures(gate(bigger, same_machine_only=False))) == ["cost weights_bytes"]


def test_a_confident_rule_counts_only_what_the_intervals_show() -> None:
    """The same loss passes where the intervals meet, in both directions of better."""
    loss = {"auc": estimate(0.90, 0.05)}
    old = report({"names/strong": figures(auc=estimate(0.97, 0.03))})
    new = report({"names/strong": figures(**loss)})
    assert failures(gate(new, old, one_rule(no_worse_by=0.01)))
    assert gate(new, old, one_rule(no_worse_by=0.01, confident=True)).passed
    sure = report({"names/strong": figures(auc=estimate(0.90, 0.03))})
    assert failures(gate(sure, old, one_rule(no_worse_by=0.01, confident=True)))
    rule = one_rule(metric="calibration_error", no_worse_by=0.01, confident=True)
    assert gate(report({"names/strong": figures(calibration_error=estimate(0.05, 0.04))}), policy=rule).passed
    worse = report({"names/strong": figures(calibration_error=estimate(0.05))})
    assert "names/strong calibration_error" in failures(gate(worse, policy=rule))


def test_a_new_figure_has_no_loss_but_must_reach_its_bounds() -> None:
    """A family that the baseline never saw."""
    old = report({"names/strong/family/suppobox": None})
    family = "names/strong/family/*"
    assert gate(report(), old, one_rule(figure=family, no_worse_by=0.0)).passed
    assert list(failures(gate(report(), old, one_rule(figure=family, at_least=0.98)))) == [
        "names/strong/family/qakbot auc",
        "names/strong/family/suppobox auc",
    ]


def test_a_rule_about_nothing_fails() -> None:
    """A path that is misspelt is not a rule that is off."""
    found = gate(report(), policy=one_rule(figure="names/stong", at_least=0.5))
    assert failures(found) == {"names/stong auc": "no figure of either report has this path"}


def test_a_diagnosis_may_be_missing() -> None:
    """Ablation is of the parts that a model has."""
    assert gate(report({"ablation/names/ngrams": None})).passed


def test_less_can_be_declared_better() -> None:
    """A rule may turn the direction of its metric round."""
    lower = report({"idn": figures(auc=estimate(0.5))})
    rule = one_rule(figure="idn", no_worse_by=0.0, lower_is_better=True)
    assert gate(lower, policy=rule).passed
    assert failures(gate(report(), lower, rule))


@pytest.mark.parametrize(
    ("path", "pattern", "said"),
    [
        ("names/strong/family/a", "names/strong/*", False),
        ("names/strong/family/a", "names/*/family/[ab]", True),
        ("xnames/strong", "names/strong", False),
    ],
)
def test_a_star_stands_for_one_part(path: str, pattern: str, said: bool) -> None:
    """Of the whole path."""
    assert matches(path, pattern) is said
