"""The policy is read strictly: a bound that is misspelt is not a bound that is off."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.gate.policy import DEFAULT_POLICY, METRICS, UnusablePolicy, read_policy


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("no_worse_by = 0.003", "no_wrose_by = 0.003", "rules.0.no_wrose_by: no such key"),
        ("at_least = 0.937", "at_least = 93.7", "rules.0.at_least: Input should be less than or equal to 1"),
        ('metric = "accuracy"', 'metric = "acuracy"', "expected one of auc, average_precision"),
        ("at_least = 0.937\nno_worse_by = 0.003", "", "expected at_least, at_most or no_worse_by"),
        (
            "no_worse_by = 0.02\nconfident = true",
            "at_least = 0.1\nconfident = true",
            "confident is about a loss",
        ),
        ("max_weights_bytes = 5_000_000", "", "cost.max_weights_bytes: a key that must be there"),
        ("max_microseconds_ratio = 1.2", "max_microseconds_ratio = inf", "cost.max_microseconds_ratio"),
        ("feature_schema = true", "feature_schema =", "Invalid value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """The file, the key, what was expected."""
    path = tmp_path / "gate.toml"
    path.write_text(DEFAULT_POLICY.read_text().replace(old, new, 1))
    with pytest.raises(UnusablePolicy) as refused:
        read_policy(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_policy_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(UnusablePolicy, match="expected a gate policy"):
        read_policy(tmp_path / "none.toml")


def test_metrics_are_the_estimates_of_a_report() -> None:
    """Counts of rows are none."""
    assert {"auc", "calibration_error", "accuracy"} <= set(METRICS)
    assert not {"rows", "malicious"} & set(METRICS)
