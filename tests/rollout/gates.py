"""Gate files for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rollout.gate_file import GateFile, Judged, Ruling, Verdict, write_gate_file

WEIGHTS = "ab" * 32


def gate_file(passed: bool = True, version: str = "3", weights: str = WEIGHTS) -> GateFile:
    """One rule, that lets a version pass or does not."""
    ruling: dict[str, Any] = {"figure": "names/strong", "metric": "auc", "bounds": "at least 0.9"}
    ruling |= {"candidate": None, "baseline": None}
    ruling |= {"verdict": Verdict.PASSED} if passed else {"verdict": Verdict.FAILED, "reason": "0.8 is less"}
    judged = {"weights_sha256": weights, "report_sha256": "cd" * 32}
    return GateFile(
        passed=passed,
        candidate=Judged(model_version=version, **judged),
        baseline=Judged(model_version="2", **judged),
        policy_sha256="ef" * 32,
        rulings=[Ruling(**ruling)],
    )


def written(folder: Path, gate: GateFile) -> Path:
    """Where it lies."""
    write_gate_file(folder / "gate.json", gate)
    return folder / "gate.json"
