"""The page of two versions, from made-up reports."""

from __future__ import annotations

from tests.training.registry.test_promote import tracked
from tests.training.reports import estimate, figures, report
from training.evaluation.report import Curves
from training.registry.compare import page, pairs

LINE = [(0.0, 0.0), (1.0, 1.0)]


def test_every_figure_of_either_report_is_there() -> None:
    """One that only one of them has, has one side; intervals that do not meet are told from those that do."""
    one = report({"idn": figures(auc=estimate(0.5)), "graph/name-alone": None})
    found = {(pair.path, pair.metric): pair for pair in pairs(one, report())}
    assert found["idn", "AUC"].apart
    assert not found["names/all", "AUC"].apart
    alone = found["graph/name-alone", "AUC"]
    assert (alone.one, alone.apart) == (None, False)
    assert alone.other == estimate(0.97)


def test_the_page_is_the_same_for_the_same_reports() -> None:
    """Curves of both are drawn, those of one alone are not; what was tested differently is said."""
    curves = Curves(roc=LINE, precision_recall=LINE, reliability=[(0.5, 0.5, 10)])
    more = report(curves={"names/strong": curves, "idn": curves}, data={"other.csv.gz": "f" * 64})
    versions, reports = (tracked(), tracked()), (report(), more)
    text = page(versions, reports)
    assert text == page(versions, reports)
    assert text.count("<svg") == 1
    assert "<h2>names/strong</h2>" in text
    assert "different data files" in text
    assert "different data files" not in page(versions, (report(), report()))


def test_what_a_report_says_is_text() -> None:
    """A path that looks like markup does not become any."""
    text = page((tracked(), tracked()), (report({"<b>x": figures()}), report()))
    assert "<b>x" not in text
    assert "&lt;b&gt;x" in text
