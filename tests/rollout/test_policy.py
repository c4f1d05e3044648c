"""The policy file is read strictly: a threshold that is misspelt is not a threshold that is off."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollout.policy import DEFAULT_POLICY, UnusablePolicy, read_policy


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max_psi = 0.25", "max_pis = 0.25", "answers.max_psi"),
        ("slo = 0.999", "slo = 1.0", "errors.slo"),
        ("steps = [5, 25, 50, 100]", "steps = [5, 25, 50]", "100 percent, got [5, 25, 50]"),
        ("steps = [5, 25, 50, 100]", "steps = [25, 5, 100]", "rise"),
        ("[traffic]", "[trafic]", "traffic"),
        ("floor_ms = 10.0", "floor_ms = ", "Invalid value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """The file, the key, what came."""
    path = tmp_path / "policy.toml"
    path.write_text(DEFAULT_POLICY.read_text().replace(old, new))
    with pytest.raises(UnusablePolicy) as refused:
        read_policy(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)


def test_the_shipped_policy_is_one() -> None:
    """With four steps."""
    assert read_policy().steps == (5, 25, 50, 100)
