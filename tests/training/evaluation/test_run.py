"""`python -m training evaluate` from data files to report, page and card."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.services import SHIPPED_MODEL
from training.__main__ import default_data, main
from training.data import TEST_NAMES
from training.evaluation import report as reports
from training.evaluation.headline import HEADLINES, table

GRAPH_PARTS = {"whole", "without-resolves", "without-apex", "without-similar", "one-hop", "no-hop"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_quick_evaluation_of_the_shipped_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every part is measured, evidence and features are worth something, and what is written is what is printed."""
    data = default_data()
    if not (data / TEST_NAMES).exists():
        pytest.skip(f"no labelled data in {data}; set DNS_RISK_SHARED")
    shutil.copytree(SHIPPED_MODEL, tmp_path, dirs_exist_ok=True)
    assert main(["evaluate", "--quick", "--model_dir", str(tmp_path), "--data", str(data)]) == 0
    report = reports.read(tmp_path)
    assert report.sampled
    assert {path for path, _ in HEADLINES} <= report.figures.keys()
    parts = {path.split("/")[2] for path in report.figures if path.startswith("names/strong/")}
    assert parts >= {"category", "source", "benign-source", "month", "family"}
    assert {f"ablation/graph/{part}" for part in GRAPH_PARTS} <= report.figures.keys()
    assert len(report.baselines) == 4
    assert report.cost.names_per_second > 0
    assert report.cost.microseconds_per_graph > 0
    # Far inside the intervals of the whole test: a mistake in rows or labels would leave them.
    assert report.figures["names/strong"].auc.value > 0.9
    assert report.figures["graph/gain-of-evidence"].auc.low > 0.05
    whole, lone = (report.figures[path].auc for path in ("ablation/graph/whole", "graph/with-evidence"))
    assert whole.value == pytest.approx(lone.value, abs=1e-4)
    bare, alone = (report.figures[path].auc for path in ("ablation/graph/no-hop", "graph/name-alone"))
    assert bare.value == pytest.approx(alone.value, abs=1e-4)
    assert report.baselines["label-propagation"]["graph/with-evidence"].auc.value == pytest.approx(
        0.816, abs=0.01
    )
    assert table(report) in capsys.readouterr().out
    assert table(report) in (tmp_path / "README.md").read_text()
    assert "sample of the rows" in (tmp_path / "report.html").read_text()


def test_a_missing_data_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command names the file that it wanted; nothing was started."""
    status = main(["evaluate", "--model_dir", str(SHIPPED_MODEL), "--data", str(tmp_path)])
    message = capsys.readouterr().err
    assert status == 1
    assert f"{tmp_path / TEST_NAMES}" in message
    assert message.count("\n") == 1


def test_a_directory_without_a_version_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says what is missing."""
    assert main(["evaluate", "--model_dir", str(tmp_path), "--data", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert "config.json" in message
    assert message.count("\n") == 1
