"""The two versions that a gate compares, read from their directories."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from predictor.checkpoint import CONFIG_FILE, WEIGHTS_FILE, load_config
from rollout.gate_file import Judged
from training.data import sha256
from training.evaluation.report import REPORT_JSON, Report, UnusableReport, read


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A version's report, and which weights it is of."""

    report: Report
    judged: Judged


def read_version(directory: Path) -> Evaluated:
    """The report of a version, checked against the version beside it.

    Weights that lie there are hashed; where there are none, the rollout compares the served ones anyway.

    Raises:
        UnusableCheckpoint: no configuration, or not of its format.
        UnusableReport: no report, not of its format, or not of this version's weights.
    """
    config, report = load_config(directory), read(directory)
    path, weights = directory / REPORT_JSON, directory / WEIGHTS_FILE
    for field, ours, theirs in (
        ("model_version", config.version, report.model_version),
        ("weights_sha256", config.weights_sha256, report.weights_sha256),
        ("feature_schema", config.feature_schema, report.feature_schema),
    ):
        if ours != theirs:
            raise UnusableReport(
                f"{path}: {field}: expected {ours!r} as in {CONFIG_FILE}, got {theirs!r}: "
                "run `make evaluate` again"
            )
    if weights.exists() and sha256(weights) != config.weights_sha256:
        raise UnusableReport(f"{weights}: not the weights that {CONFIG_FILE} names; copy both again")
    if report.sampled:
        raise UnusableReport(f"{path}: of a sample of the rows, which judges nothing: run `make evaluate`")
    if not report.figures:
        raise UnusableReport(f"{path}: figures: expected at least one, got none")
    return Evaluated(report, _judged(report, path))


def _judged(report: Report, path: Path) -> Judged:
    try:
        return Judged(
            model_version=report.model_version,
            weights_sha256=report.weights_sha256,
            report_sha256=sha256(path),
        )
    except ValidationError:
        raise UnusableReport(
            f"{path}: weights_sha256: expected 64 hexadecimal digits, got {report.weights_sha256!r:.80}"
        ) from None
