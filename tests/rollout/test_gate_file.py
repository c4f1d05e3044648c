"""A verdict on disk: read back as it was, and nothing but a verdict is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollout.gate_file import UnusableGateFile, read_gate_file, refusal
from tests.rollout.gates import WEIGHTS, gate_file, written


@pytest.mark.parametrize("passed", [True, False])
def test_a_verdict_is_read_back(tmp_path: Path, passed: bool) -> None:
    """A yes and a no."""
    gate = gate_file(passed)
    assert read_gate_file(written(tmp_path, gate)) == gate


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"passed": True}, "says passed=true with 1 failing rules"),
        ({"rulings": []}, "rulings"),
        ({"format": 2}, "format: Input should be 1"),
        ({"more": 1}, "more"),
        ({"policy_sha256": "short"}, "policy_sha256"),
    ],
)
def test_what_is_no_verdict_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """One line with the file and the place; a no that was made a yes by hand is none."""
    path = written(tmp_path, gate_file(passed=False))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UnusableGateFile, match=said) as refused:
        read_gate_file(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_missing_or_endless_is_refused(tmp_path: Path) -> None:
    """The second without being read to its end."""
    with pytest.raises(UnusableGateFile, match="expected the file that `python -m training gate` writes"):
        read_gate_file(tmp_path / "none.json")
    with pytest.raises(UnusableGateFile, match="at most"):
        read_gate_file(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("passed", "version", "weights", "said"),
    [
        (False, "3", WEIGHTS, "says no to version 3: 1 rules failed, first names/strong auc: 0.8 is less"),
        (True, "4", WEIGHTS, "judged version 3, this is version 4"),
        (True, "3", "00" * 32, "other weights of version 3: abababababab, these are 000000000000"),
    ],
)
def test_a_refusal_says_why(passed: bool, version: str, weights: str, said: str) -> None:
    """A no, another version, other weights."""
    assert said in refusal(gate_file(passed), version, weights)


def test_a_yes_lets_its_own_version_pass() -> None:
    """With its weights, and where they are not known yet."""
    assert refusal(gate_file(), "3", WEIGHTS) == refusal(gate_file(), "3") == ""
