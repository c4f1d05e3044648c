import shutil
from pathlib import Path

from predictor.checkpoint import load_config
from tests.services import SHIPPED_MODEL
from tests.training.evaluation.made_up import report
from training.card import CARD_FILE, forget_figures, write_card
from training.evaluation import report as reports
from training.evaluation.headline import table


def card(tmp_path: Path) -> str:
    write_card(tmp_path, load_config(tmp_path))
    return (tmp_path / CARD_FILE).read_text()


def test_a_card_shows_the_headline_of_its_report(tmp_path: Path) -> None:
    """The table with intervals, and where all the rest is."""
    shutil.copy(SHIPPED_MODEL / "config.json", tmp_path)
    reports.write(report(), tmp_path)
    text = card(tmp_path)
    assert table(report()) in text
    assert "(report.html)" in text
    assert "sample" not in text.partition("## Figures")[2].partition("## Explanations")[0]


def test_a_card_says_what_is_of_a_sample(tmp_path: Path) -> None:
    """Figures of --quick are not taken for the version's."""
    shutil.copy(SHIPPED_MODEL / "config.json", tmp_path)
    reports.write(report(sampled=True), tmp_path)
    assert "From a sample of the rows only" in card(tmp_path)


def test_a_version_without_figures_says_how_to_get_them(tmp_path: Path) -> None:
    """As a version whose weights are new: old figures are gone with the page."""
    shutil.copy(SHIPPED_MODEL / "config.json", tmp_path)
    reports.write(report(), tmp_path)
    (tmp_path / reports.REPORT_HTML).write_text("old")
    forget_figures(tmp_path)
    assert "run `make evaluate`" in card(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", CARD_FILE}
