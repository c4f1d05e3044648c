"""Reports, names and scores that nobody measured."""

from __future__ import annotations

import numpy as np

from contract.tensors import CATEGORIES
from training.data import LabelledNames
from training.evaluation.ranking import curves
from training.evaluation.report import Cost, Estimate, Figures, Report


def figures(auc: float = 0.9, **more: float) -> Figures:
    """Figures that differ from one another."""
    values = {
        "auc": auc,
        "average_precision": 0.8,
        "tpr_at_fpr_1pct": 0.6,
        "tpr_at_fpr_01pct": 0.3,
        "calibration_error": 0.02,
    }
    estimates = {
        name: Estimate(value=value, low=value - 0.01, high=value + 0.01)
        for name, value in (values | more).items()
    }
    return Figures(rows=1234, malicious=500, **estimates)


PATHS = {
    "names/strong": figures(0.95),
    "names/strong/category/phishing": figures(0.911),
    "names/strong/source/maltrail": figures(0.912),
    "names/strong/benign-source/top-mid": figures(0.913),
    "names/strong/month/2026-03": figures(0.914),
    "names/strong/family/tinba": figures(0.915),
    "names/strong/unseen-families": figures(0.916),
    "names/strong/fresh-address": figures(0.917),
    "names/all": figures(0.918),
    "idn": figures(0.919),
    "graph/with-evidence": figures(0.92, accuracy=0.88),
    "graph/name-alone": figures(0.921, accuracy=0.78),
    "graph/gain-of-evidence": figures(0.022, accuracy=0.1),
    "robustness/charbot": figures(0.722, flagged_monitor=0.055, flagged_block=0.005),
    "ablation/names/without-suffix": figures(0.923),
    "ablation/graph/one-hop": figures(0.924),
}


def report(**changes: object) -> Report:
    """A report with something on every kind of path."""
    rng = np.random.default_rng(0)
    malicious = np.arange(400) >= 200
    drawn = curves(malicious, np.clip(rng.normal(0.3 + 0.4 * malicious, 0.2), 0, 1))
    given = Report(
        created="2026-11-25T21:00:00+00:00",
        model_version="made-up",
        feature_schema="0123456789abcdef",
        weights_sha256="f" * 64,
        data={"names.csv.gz": "d" * 64},
        figures=PATHS,
        baselines={"ngram-regression": {"names/strong": figures(0.931), "idn": figures(0.7)}},
        curves={"names/strong": drawn},
        cost=Cost(
            machine="abacus, 2 cores",
            names_per_second=1234.5,
            microseconds_per_graph=31.25,
            weights_bytes=4_000_000,
        ),
    )
    return given.model_copy(update=changes)


def names(rows: list[tuple[str, str, str, str, str, str]]) -> LabelledNames:
    """Labelled names of (domain, category, family, source, first_seen, quality)."""
    domains, category, family, source, first_seen, quality = zip(*rows, strict=True)
    return LabelledNames(
        list(domains),
        np.array([CATEGORIES.index(name) for name in category]),
        np.array(family),
        np.array(source),
        np.array(first_seen),
        np.array(quality),
    )
