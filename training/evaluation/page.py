"""`report.html`: one page that holds everything it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from training.evaluation.headline import BASELINES, HEADLINES, shown
from training.evaluation.intervals import FEWEST_ROWS
from training.evaluation.plots import bars, ranking_plot, reliability_plot
from training.evaluation.report import REPORT_HTML, Figures, Report

_LEFT_OUT: Final = f"Here as below, parts with fewer than {FEWEST_ROWS} rows of either class are left out."
# Parts of names/strong and of names/all, with what is said of them.
PARTS: Final = (
    ("category", "By category", f"Malice of one kind against all benign rows. {_LEFT_OUT}"),
    ("source", "By source of the malicious name", "Malice of one source against all benign rows."),
    ("benign-source", "By source of the benign name", "All malice against benign rows of one source."),
    ("month", "By month of first sight", "Generated names have no such month and are left out."),
    (
        "family",
        "By generator family",
        "Each against all benign rows; no training row is of an unseen family.",
    ),
)
COLUMNS: Final = (
    ("auc", "AUC"),
    ("average_precision", "average precision"),
    ("tpr_at_fpr_1pct", "TPR @ FPR 1 %"),
    ("tpr_at_fpr_01pct", "TPR @ FPR 0.1 %"),
    ("calibration_error", "calibration error"),
    ("accuracy", "accuracy"),
    ("flagged_monitor", "flagged, monitor"),
    ("flagged_block", "flagged, block"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Figures of several groups: a header, and a line of cells each."""

    header: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with tables, a picture or neither, and what is to be said of them."""

    title: str
    note: str
    tables: tuple[tuple[str, Table], ...] = ()
    picture: str = ""


def write_page(report: Report, directory: Path) -> None:
    """Write the page beside the weights."""
    (directory / REPORT_HTML).write_text(page(report), encoding="utf-8")


def page(report: Report) -> str:
    """The page of a report; the same report gives the same bytes."""
    environment = Environment(
        loader=PackageLoader("training.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("report.html.j2").render(report=report, sections=sections(report))


def sections(report: Report) -> list[Section]:
    """Everything the page shows, in its order; sections that nothing was measured for are left out."""
    headline = {called: report.figures[path] for path, called in HEADLINES if path in report.figures}
    found = [
        Section("Headline", _HEADLINE_NOTE, (("", table(headline)),)),
        Section("Ranking", _RANKING_NOTE, picture=ranking_plot(report.curves)),
        Section("Calibration", _CALIBRATION_NOTE, picture=reliability_plot(report.curves)),
        *(_part(report, part, title, note) for part, title, note in PARTS),
        Section("Graph evidence", _GRAPH_NOTE, (("", table(_below(report.figures, "graph/"))),)),
        Section("Robustness", _ROBUSTNESS_NOTE, (("", table(_below(report.figures, "robustness/"))),)),
        _ablation(report, "names", "Ablation of features, on lone names"),
        _ablation(report, "graph", "Ablation of relations and hops, on names with evidence"),
        Section("Baselines", _BASELINES_NOTE, _baselines(report.baselines)),
    ]
    return [section for section in found if section.picture or any(part.lines for _, part in section.tables)]


_HEADLINE_NOTE: Final = (
    "Strong rows first: without benign rows of weak label quality. All rows second. On a fresh address: the "
    "same names, each on an address that nobody else uses, which must change little."
)
_RANKING_NOTE: Final = "False-positive rates on a logarithmic axis; dashed where the operating points are."
_CALIBRATION_NOTE: Final = "Both classes weigh alike, as they do in training."
_GRAPH_NOTE: Final = (
    "Accuracy is at the threshold that is best on the graph's val part. The gain is the first less the "
    "second, with the interval of the difference: of calibration error, less is better."
)
_ROBUSTNESS_NOTE: Final = (
    "charbot: two random characters of a benign name replaced. "
    "homoglyphs, look-alikes: one letter of a popular name replaced by its twin of another script, or by "
    "digits and letters. These count as malicious, beside unchanged benign rows, and should be flagged. "
    "random-subdomains: a random label in front of a benign name, which stays benign, beside unchanged "
    "malicious rows, and should not be flagged."
)
_ABLATION_NOTE: Final = "The same rows and weights with that part of the tensors taken away."
_BASELINES_NOTE: Final = "Trained and scored in the same run; hetero GraphSAGE is the mean over its seeds."


def _part(report: Report, part: str, title: str, note: str) -> Section:
    by_base = {
        called: _below(report.figures, f"names/{base}/{part}/")
        for base, called in (("strong", "Strong rows"), ("all", "All rows"))
    }
    if part == "family":
        for base, called in (("strong", "Strong rows"), ("all", "All rows")):
            mean = report.figures.get(f"names/{base}/unseen-families")
            by_base[called] |= {"mean of unseen families": mean} if mean else {}
    return Section(title, note, tuple((called, table(figures)) for called, figures in by_base.items()))


def _ablation(report: Report, what: str, title: str) -> Section:
    figures = _below(report.figures, f"ablation/{what}/")
    picture = bars(figures, "auc", "AUC") if figures else ""
    return Section(title, _ABLATION_NOTE, (("", table(figures)),), picture)


def _baselines(found: Mapping[str, Mapping[str, Figures]]) -> tuple[tuple[str, Table], ...]:
    return tuple((BASELINES.get(name, name), table(figures)) for name, figures in found.items())


def _below(figures: Mapping[str, Figures], prefix: str) -> dict[str, Figures]:
    return {path.removeprefix(prefix): found for path, found in figures.items() if path.startswith(prefix)}


def table(figures: Mapping[str, Figures]) -> Table:
    """Figures of groups by their name; columns that no group has are left out."""
    columns = [
        (name, title)
        for name, title in COLUMNS
        if any(getattr(found, name) is not None for found in figures.values())
    ]
    header = ("", *(title for _, title in columns), "rows", "malicious")
    return Table(header, tuple(_line(called, found, columns) for called, found in figures.items()))


def _line(called: str, found: Figures, columns: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    figures = [getattr(found, name) for name, _ in columns]
    cells = ["" if figure is None else shown(figure) for figure in figures]
    return (called, *cells, f"{found.rows:,}", f"{found.malicious:,}")
