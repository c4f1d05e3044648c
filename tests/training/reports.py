"""Reports made up for tests, and version directories that hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.checkpoints import write_checkpoint
from training.evaluation.report import Cost, Curves, Estimate, Figures, Report, write

PATHS = (
    "names/strong",
    "names/all",
    "names/strong/category/dga",
    "names/strong/category/phishing",
    "names/strong/unseen-families",
    "names/strong/family/qakbot",
    "names/strong/family/suppobox",
    "names/strong/fresh-address",
    "idn",
    "graph/with-evidence",
    "graph/name-alone",
    "graph/gain-of-evidence",
    "robustness/charbot",
    "ablation/names/ngrams",
)
TESTS = {
    "domains_public_test.csv.gz": "a" * 64,
    "idn_public_test.csv.gz": "b" * 64,
    "graph_nodes.csv.gz": "c" * 64,
    "graph_edges.csv.gz": "d" * 64,
    "domains_train.csv.gz": "e" * 64,
}


def estimate(value: float, around: float = 0.01) -> Estimate:
    return Estimate(value=value, low=value - around, high=value + around)


def figures(**changes: Any) -> Figures:
    """Good ones, with what a test changes."""
    fields = {
        "auc": estimate(0.97),
        "average_precision": estimate(0.96),
        "tpr_at_fpr_1pct": estimate(0.75),
        "tpr_at_fpr_01pct": estimate(0.45),
        "calibration_error": estimate(0.02, 0.002),
        "accuracy": estimate(0.92),
    }
    return Figures(**{"rows": 1000, "malicious": 500} | fields | changes)


def cost(**changes: Any) -> Cost:
    fields = {
        "machine": "one core of a test",
        "names_per_second": 9000.0,
        "microseconds_per_graph": 100.0,
        "weights_bytes": 4_336_888,
    }
    return Cost(**fields | changes)


def report(figures_of: dict[str, Figures | None] | None = None, **changes: Any) -> Report:
    """A whole report; a path that is set to None is left out."""
    found = {path: figures() for path in PATHS} | (figures_of or {})
    line = [(0.0, 0.0), (0.01, 0.75), (1.0, 1.0)]
    fields = {
        "created": "2025-01-01T00:00:00+00:00",
        "model_version": "2",
        "feature_schema": "6ca07f9f7bf70294",
        "weights_sha256": "0" * 64,
        "data": TESTS,
        "figures": {path: kept for path, kept in found.items() if kept is not None},
        "baselines": {"n-gram regression": {"names/strong": figures(auc=estimate(0.93))}},
        "curves": {"names/strong": Curves(roc=line, precision_recall=line, reliability=[(0.5, 0.5, 10)])},
        "cost": cost(),
    }
    return Report(**fields | changes)


def write_version(directory: Path, version: str, seed: int, made: Report | None = None) -> Report:
    """A random checkpoint with a report of it, as `make evaluate` leaves them."""
    # Every seed has weights of its own; the report says which.
    config = write_checkpoint(directory, seed, version=version)
    sealed = (made or report()).model_copy(
        update={
            "model_version": version,
            "weights_sha256": config.weights_sha256,
            "feature_schema": config.feature_schema,
        }
    )
    write(sealed, directory)
    return sealed
