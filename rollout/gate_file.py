"""The gate's verdict on a version, as a file: written by training, read before a rollout.

It lies here because a rollout's image holds no training.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FORMAT: Final = 1
# A gate file has a line a rule; one of some hundred megabytes is something else.
_LARGEST_BYTES: Final = 4_000_000

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UnusableGateFile(Exception):
    """A gate file is missing or not of its format; the message is one line."""


class Verdict(StrEnum):
    """What the gate says of one rule."""

    PASSED = "passed"
    FAILED = "failed"
    MISSING = "missing"
    NOT_COMPARABLE = "not comparable"


class _Frozen(BaseModel):
    # JSON has no NaN: it would come back as null, and the file be unreadable.
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)


class Number(_Frozen):
    """A figure, with its 95 % interval where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


class Ruling(_Frozen):
    """One rule on one figure.

    Fields:
        bounds   what was asked of the candidate, in words
        counts   whether anything but a pass fails the gate
        reason   why it did not pass; "" where it did
    """

    figure: str
    metric: str
    candidate: Number | None
    baseline: Number | None
    bounds: str
    verdict: Verdict
    counts: bool = True
    reason: str = ""

    @property
    def fails(self) -> bool:
        return self.counts and self.verdict is not Verdict.PASSED


class Judged(_Frozen):
    """Which weights a report is of."""

    model_version: str
    weights_sha256: Sha256
    report_sha256: Sha256


class GateFile(_Frozen):
    """The whole file."""

    format: Literal[1] = FORMAT
    passed: bool
    candidate: Judged
    baseline: Judged
    policy_sha256: Sha256
    rulings: Annotated[list[Ruling], Field(min_length=1)]

    @model_validator(mode="after")
    def _check_verdict(self) -> GateFile:
        failing = sum(ruling.fails for ruling in self.rulings)
        if self.passed == bool(failing):
            raise ValueError(f"says passed={str(self.passed).lower()} with {failing} failing rules")
        return self


def write_gate_file(path: Path, gate: GateFile) -> None:
    """Keep a verdict.

    Raises:
        OSError: it cannot be written there.
    """
    path.write_text(gate.model_dump_json(indent=1) + "\n")


def read_gate_file(path: Path) -> GateFile:
    """A verdict that was kept.

    Raises:
        UnusableGateFile: there is none, it is not of this format, or its verdict is not that of its rules.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as problem:
        raise UnusableGateFile(
            f"{path}: {problem.strerror}: expected the file that `python -m training gate` writes"
        ) from None
    if len(content) > _LARGEST_BYTES:
        raise UnusableGateFile(f"{path}: expected a gate file of at most {_LARGEST_BYTES} bytes")
    try:
        return GateFile.model_validate_json(content)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise UnusableGateFile(f"{path}: {place}: {first['msg']}, got {first['input']!r:.80}") from None


def refusal(gate: GateFile, model_version: str, weights_sha256: str | None = None) -> str:
    """Why a gate does not let a version pass; "" where it does.

    Args:
        gate: what the gate said.
        model_version: of the version that wants to pass.
        weights_sha256: of the same; None where they are not known yet.
    """
    judged = gate.candidate
    if not gate.passed:
        failing = [ruling for ruling in gate.rulings if ruling.fails]
        first = failing[0]
        return (
            f"the gate says no to version {judged.model_version}: {len(failing)} rules failed, "
            f"first {first.figure} {first.metric}: {first.reason}"
        )
    if judged.model_version != model_version:
        return f"the gate judged version {judged.model_version}, this is version {model_version}"
    if weights_sha256 is not None and judged.weights_sha256 != weights_sha256:
        return (
            f"the gate judged other weights of version {model_version}: {judged.weights_sha256[:12]}, "
            f"these are {weights_sha256[:12] or 'unknown'}"
        )
    return ""
