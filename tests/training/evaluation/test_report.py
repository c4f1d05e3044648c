from pathlib import Path

import pytest

from tests.training.evaluation.made_up import report
from training.evaluation import report as reports
from training.evaluation.report import REPORT_JSON, Estimate, UnusableReport


def test_no_figure_is_not_a_number() -> None:
    """What was not measured is refused where it would be written, not where it is read."""
    with pytest.raises(ValueError, match="finite number"):
        Estimate(value=float("nan"), low=0.0, high=1.0)


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Nothing is lost on the way through JSON."""
    reports.write(report(), tmp_path)
    assert reports.read(tmp_path) == report()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"created"', '"when"'), "created: Field required"),
        (('"names_per_second": 1234.5', '"names_per_second": null'), "cost.names_per_second"),
    ],
)
def test_a_report_of_another_form_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """The refusal names the file, the place and what came."""
    reports.write(report(), tmp_path)
    path = tmp_path / REPORT_JSON
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(UnusableReport, match=f"{REPORT_JSON}.*{message}"):
        reports.read(tmp_path)
