import shutil
from pathlib import Path

import pytest

from tests.services import SHIPPED_MODEL
from training.evaluation.cost_again import measure_again
from training.evaluation.report import REPORT_JSON, UnusableReport, read


def test_versions_are_measured_in_turn_and_their_reports_say_so(data: Path, tmp_path: Path) -> None:
    """Two copies of a version get figures of one run, and nothing else of their reports changes."""
    versions = [Path(shutil.copytree(SHIPPED_MODEL, tmp_path / name)) for name in ("one", "two")]
    costs = measure_again(data, versions)
    for version in versions:
        assert read(version).cost.microseconds_per_graph == pytest.approx(costs[version], abs=1e-3)
        assert read(version).figures == read(SHIPPED_MODEL).figures
        assert read(version).cost.weights_bytes == read(SHIPPED_MODEL).cost.weights_bytes


def test_a_version_that_was_not_evaluated_is_refused(data: Path, tmp_path: Path) -> None:
    """Before anything is measured."""
    version = Path(shutil.copytree(SHIPPED_MODEL, tmp_path / "one"))
    (version / REPORT_JSON).unlink()
    with pytest.raises(UnusableReport, match="make evaluate"):
        measure_again(data, [version])
