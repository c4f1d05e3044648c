"""The few figures that README, model card and terminal show of a report."""

from __future__ import annotations

from typing import Final

from training.evaluation.report import Estimate, Figures, Report

# Path, and how it is called.
HEADLINES: Final = (
    ("names/strong", "names, strong rows"),
    ("names/strong/unseen-families", "unseen generator families, mean"),
    ("names/strong/fresh-address", "names, strong rows, on a fresh address"),
    ("names/all", "names, all rows"),
    ("idn", "internationalised names"),
    ("graph/with-evidence", "graph with evidence"),
    ("graph/name-alone", "the same names without evidence"),
)
BASELINES: Final = {
    "ngram-regression": "n-gram regression",
    "gradient-boosting": "gradient boosting on lexical features",
    "label-propagation": "label propagation",
    "hetero-graphsage": "hetero GraphSAGE",
}
_HEADER: Final = """\
| served scores on | AUC | TPR @ FPR 1 % | TPR @ FPR 0.1 % | calibration error | accuracy | rows |
|---|---|---|---|---|---|---|"""


def table(report: Report) -> str:
    """The headline figures as Markdown, the model's with their intervals, baselines below in italics."""
    lines = [_HEADER]
    for path, called in HEADLINES:
        if path in report.figures:
            lines.append(_line(called, report.figures[path], intervals=True))
        lines += [
            _line(f"&nbsp;&nbsp;*{BASELINES.get(name, name)}*", found[path], intervals=False)
            for name, found in report.baselines.items()
            if path in found
        ]
    return "\n".join(lines)


def _line(called: str, found: Figures, *, intervals: bool) -> str:
    figures = (
        found.auc,
        found.tpr_at_fpr_1pct,
        found.tpr_at_fpr_01pct,
        found.calibration_error,
        found.accuracy,
    )
    cells = [called, *(_cell(figure, intervals=intervals) for figure in figures), f"{found.rows:,}"]
    return f"| {' | '.join(cells)} |"


def _cell(figure: Estimate | None, *, intervals: bool) -> str:
    if figure is None:
        return ""
    return shown(figure) if intervals else f"{figure.value:.3f}"


def shown(figure: Estimate) -> str:
    """A figure with its interval.

    >>> shown(Estimate(value=0.95, low=0.94, high=0.961))
    '0.950 (0.940-0.961)'
    """
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})"
