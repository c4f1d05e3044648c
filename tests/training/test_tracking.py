"""What is kept of a version, chosen without a registry; tests/training/registry tracks with a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.reports import figures, report
from training.registry.store import RegistryFailed
from training.tracking import MOST_FILES, artefacts, headline


def test_a_version_of_too_many_files_is_refused(tmp_path: Path) -> None:
    """Somebody gave the wrong directory."""
    for number in range(MOST_FILES):
        (tmp_path / f"{number}.json").write_text("")
    assert len(artefacts(tmp_path)) == MOST_FILES
    (tmp_path / "more.json").write_text("")
    with pytest.raises(RegistryFailed, match="201 files"):
        artefacts(tmp_path)


def test_a_version_of_too_many_bytes_is_refused(tmp_path: Path) -> None:
    """So is one with a huge file."""
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(256_000_001)
    with pytest.raises(RegistryFailed, match="expected a version of at most"):
        artefacts(tmp_path)


def test_headline_figures_are_those_that_a_report_has() -> None:
    """Names without an accuracy have none; a path that was not measured is left out; groups stay in the report."""
    found = headline(report({"names/all": figures(accuracy=None), "idn": None}))
    assert found["names/all/auc"] == 0.97
    assert "names/all/accuracy" not in found
    assert not any(name.startswith(("idn", "names/strong/family")) for name in found)
    assert found["cost/weights_bytes"] == 4_336_888
