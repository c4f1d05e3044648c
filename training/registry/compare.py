"""Two evaluated versions on one page: all figures with their intervals, and the curves over each other."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib import rc_context
from matplotlib.figure import Figure

from training.evaluation.report import Curves, Estimate, Report
from training.registry.versions import Tracked

_COLOURS: Final = ("#4477aa", "#ee6677")
_METRICS: Final = {
    "auc": "AUC",
    "tpr_at_fpr_1pct": "TPR @ FPR 1 %",
    "tpr_at_fpr_01pct": "TPR @ FPR 0.1 %",
    "average_precision": "average precision",
    "calibration_error": "calibration error",
    "accuracy": "accuracy",
}
# From here to the left there is nothing to see of a false-positive rate.
_LOWEST_FPR: Final = 1e-4
_MOST_PLOTS: Final = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """A metric of one figure in both reports."""

    path: str
    metric: str
    one: Estimate | None
    other: Estimate | None

    @property
    def apart(self) -> bool:
        """Whether the intervals do not meet."""
        if self.one is None or self.other is None:
            return False
        return self.one.high < self.other.low or self.other.high < self.one.low


def pairs(one: Report, other: Report) -> Iterator[Pair]:
    """Every figure that one of them has, in the order of their paths."""
    for path in sorted(one.figures.keys() | other.figures.keys()):
        both = one.figures.get(path), other.figures.get(path)
        for metric, shown in _METRICS.items():
            ours, theirs = (getattr(found, metric) if found else None for found in both)
            if ours is not None or theirs is not None:
                yield Pair(path, shown, ours, theirs)


def page(versions: tuple[Tracked, Tracked], reports: tuple[Report, Report]) -> str:
    """The page, with everything in it."""
    both = sorted(reports[0].curves.keys() & reports[1].curves.keys())[:_MOST_PLOTS]
    names = tuple(str(version) for version in versions)
    return (
        _environment()
        .get_template("compare.html.j2")
        .render(
            names=names,
            versions=versions,
            reports=reports,
            pairs=list(pairs(*reports)),
            plots={path: _plot(names, [report.curves[path] for report in reports]) for path in both},
        )
    )


def _environment() -> Environment:
    loader = PackageLoader("training", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def _plot(names: tuple[str, ...], curves: list[Curves]) -> str:
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "dns-risk", "font.size": 9}):
        figure = Figure(figsize=(11, 3.6), layout="constrained")
        for axes, draw in zip(figure.subplots(1, 3), (_roc, _precision, _reliability), strict=True):
            for name, colour, found in zip(names, _COLOURS, curves, strict=True):
                draw(axes, found, label=name, color=colour)
            axes.grid(visible=True, linewidth=0.4, alpha=0.6)
        figure.axes[0].legend(fontsize=7, loc="upper left")
        return _svg(figure)


def _roc(axes: Any, curves: Curves, **style: str) -> None:
    axes.plot([max(x, _LOWEST_FPR) for x, _ in curves.roc], [y for _, y in curves.roc], **style)
    axes.set(xscale="log", xlabel="false-positive rate", ylabel="malice found")


def _precision(axes: Any, curves: Curves, **style: str) -> None:
    axes.plot([x for x, _ in curves.precision_recall], [y for _, y in curves.precision_recall], **style)
    axes.set(xlabel="recall", ylabel="precision")


def _reliability(axes: Any, curves: Curves, **style: str) -> None:
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
    points = [(x, y) for x, y, _ in curves.reliability]
    axes.plot([x for x, _ in points], [y for _, y in points], marker=".", **style)
    axes.set(xlabel="score", ylabel="share of malice")


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    # Without a date the same figures give the same bytes.
    figure.savefig(text, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return text.getvalue()[text.getvalue().index("<svg") :]
