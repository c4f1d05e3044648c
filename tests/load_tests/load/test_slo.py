"""The verdict: every rule can be met and can be broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from load_tests.load.outcomes import Outcomes, joined
from load_tests.load.slo import Slo, inconclusive, judged, worst_burn_rate
from load_tests.load.toml_file import UnusableFile, read_toml
from tests.load_tests.load.runs import outcomes


def verdict(objectives: dict[str, object], run: Outcomes) -> dict[str, tuple[bool, str]]:
    """What is said of each objective."""
    rules = judged(Slo.model_validate(objectives), run)
    return {rule.name: (rule.met, rule.measured) for rule in rules}


GOOD, MIXED = outcomes(*["200", "OK"] * 50), outcomes(*["200"] * 98, "429", "UNAVAILABLE")


@pytest.mark.parametrize(("run", "met"), [(GOOD, True), (MIXED, False)])
def test_availability_counts_everything_that_was_not_answered_well(run: Outcomes, met: bool) -> None:
    """98 of 100 is less than 99 %; refusals count, too."""
    said = verdict({"requests": {"availability": 0.99}}, run)
    assert said["availability"] == (met, "100.0000%" if met else "98.0000%")


def test_refusals_have_a_limit_of_their_own() -> None:
    """One of a hundred was refused."""
    said = verdict({"requests": {"availability": 0.5, "refused_at_most": 0.005}}, MIXED)
    assert said["refused"] == (False, "1.00%")


def test_latency_is_of_what_was_answered() -> None:
    """10 ms is below 20 and above 5; where nothing was answered no limit is met."""
    said = verdict({"latency_ms": {"p50": 20, "p99": 5}}, GOOD)
    assert said == {"p50 latency": (True, "10.0 ms"), "p99 latency": (False, "10.0 ms")}
    assert verdict({"latency_ms": {"p50": 20}}, outcomes("503"))["p50 latency"] == (False, "nothing answered")


def test_the_error_budget_looks_at_the_worst_window() -> None:
    """Failures that come together burn more than the same number spread out."""
    together = outcomes(*["200"] * 90, *["503"] * 10)
    spread = outcomes(*(["200"] * 9 + ["503"]) * 10)
    assert worst_burn_rate(together, 1.0, 0.9) == pytest.approx(10)
    assert worst_burn_rate(spread, 1.0, 0.9) == pytest.approx(1)
    objectives = {"requests": {"availability": 0.9}, "error_budget": {"window_s": 1, "burn_rate": 5}}
    assert verdict(objectives, together)["error budget, worst 1 s"] == (False, "10.0")
    assert verdict(objectives, spread)["error budget, worst 1 s"] == (True, "1.0")


def test_a_canary_is_judged_by_its_share_and_its_speed() -> None:
    """A quarter of the answers, three times as slow."""
    run = joined([outcomes(*["200"] * 75), outcomes(*["OK"] * 25, latency_s=0.03, version="2")])
    said = verdict({"canary": {"version": "2", "share": 0.25, "p95_ratio": 1.2}}, run)
    assert said["share of version 2"] == (True, "25.0%")
    assert said["p95 of version 2 by the others'"] == (False, "3.00")
    said = verdict({"canary": {"version": "3", "share": 0.25, "p95_ratio": 1.2}}, run)
    assert said["share of version 3"] == (False, "0.0%")
    assert said["p95 of version 3 by the others'"] == (False, "one of them never answered")


def test_a_generator_that_lags_judges_nothing() -> None:
    """Nor does a run of which nothing is left after the warm-up."""
    slo = Slo()
    assert not inconclusive(slo, GOOD)
    assert "the generator sent 1 %" in inconclusive(slo, outcomes("200", lag_s=0.2, latency_s=0.3))
    assert "after the warm-up" in inconclusive(slo, GOOD.where(GOOD.intended_s > 1e9))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[requests]\navailability = 1.0\n", "requests.availability: Input should be less than 1"),
        ("[latency_ms]\np98 = 1\n", "latency_ms.p98: no such key"),
        ("[error_budget]\nwindow_s = 0\nburn_rate = 1\n", "error_budget.window_s"),
    ],
)
def test_objectives_that_make_no_sense_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """By the name of the key."""
    path = tmp_path / "slo.toml"
    path.write_text(text)
    with pytest.raises(UnusableFile, match=complaint):
        read_toml(path, Slo)
