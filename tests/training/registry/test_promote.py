"""What is a ground to promote a version, without a registry."""

from __future__ import annotations

import pytest

from rollout.gate_file import GateFile
from tests.rollout.gates import WEIGHTS, gate_file
from training.registry.promote import refusal_of
from training.registry.versions import Tracked


def tracked(weights: str = WEIGHTS) -> Tracked:
    tags = {"model_version": "2", "weights_sha256": weights}
    return Tracked(7, [], "2025-01-01", "run", "file:///none", tags, {}, {})


@pytest.mark.parametrize("basis", [gate_file(version="2"), "the gate is away"])
def test_a_yes_and_a_reason_are_grounds(basis: GateFile | str) -> None:
    """The registry's own number is not the model's version, and is not compared."""
    assert refusal_of(basis, tracked()) == ""


@pytest.mark.parametrize(
    ("basis", "said"),
    [
        (gate_file(passed=False, version="2"), "says no"),
        (gate_file(version="7"), "judged version 7, this is version 2"),
        (gate_file(version="2", weights="00" * 32), "other weights"),
        ("  ", "needs a reason"),
        ("x" * 501, "needs a reason"),
    ],
)
def test_all_else_is_refused(basis: GateFile | str, said: str) -> None:
    """With why."""
    assert said in refusal_of(basis, tracked())


def test_a_version_without_known_weights_is_not_promoted_by_a_gate() -> None:
    """Somebody registered it by hand: there is nothing to compare."""
    assert "these are unknown" in refusal_of(gate_file(version="2"), tracked(weights=""))
