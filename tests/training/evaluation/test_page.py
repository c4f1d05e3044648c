import re
from pathlib import Path

from tests.training.evaluation.made_up import PATHS, report
from training.evaluation.headline import shown
from training.evaluation.page import page, sections, write_page

TITLES = [
    "Headline",
    "Ranking",
    "Calibration",
    "By category",
    "By source of the malicious name",
    "By source of the benign name",
    "By month of first sight",
    "By generator family",
    "Graph evidence",
    "Robustness",
    "Ablation of features, on lone names",
    "Ablation of relations and hops, on names with evidence",
    "Baselines",
]


def test_every_section_is_there_in_order() -> None:
    """Whatever was measured has its heading, strong rows and headline first, then cost and data."""
    titles = re.findall(r"<h2>(.*?)</h2>", page(report()))
    assert titles == [*TITLES, "Cost", "Data and weights"]


def test_every_figure_is_shown_with_its_interval() -> None:
    """No path of the report is missing from the page."""
    html = page(report())
    assert {path for path, found in PATHS.items() if shown(found.auc) not in html} == set()
    assert "0.055 (0.045-0.065)" in html
    assert "0.931" in html


def test_what_was_not_measured_has_no_section() -> None:
    """An evaluation of names alone shows no empty table."""
    names_only = report(figures={"names/strong": PATHS["names/strong"]}, baselines={})
    assert [section.title for section in sections(names_only)] == ["Headline", "Ranking", "Calibration"]


def test_the_page_needs_nothing_else() -> None:
    """Pictures stand in it, and nothing is loaded or run."""
    html = page(report())
    assert html.count("<svg") == 4
    assert "<script" not in html
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#)""", html)


def test_names_of_files_are_text() -> None:
    """What is in a report cannot become markup."""
    assert "<b>" not in page(report(data={"<b>names</b>": "0"}))


def test_a_sample_says_so() -> None:
    """Figures of --quick are not taken for a verdict."""
    assert "sample of the rows" in page(report(sampled=True))
    assert "sample of the rows" not in page(report())


def test_the_same_report_gives_the_same_bytes() -> None:
    """A page that is written again differs in nothing."""
    assert page(report()) == page(report())


def test_the_page_is_written_beside_the_weights(tmp_path: Path) -> None:
    """As report.html, in UTF-8."""
    write_page(report(), tmp_path)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page(report())
