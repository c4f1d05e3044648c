"""Starts that are refused, each in one line that says what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.services import SHIPPED_MODEL, explainer

pytestmark = pytest.mark.slow


def refused(model_dir: Path, **settings: object) -> str:
    """What a start that fails writes."""
    with explainer(9, 9, model_dir, ready=False, **settings) as process:
        assert process.wait(60) == 1
        lines = process.log().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """A copy of the shipped version to spoil."""
    return Path(shutil.copytree(SHIPPED_MODEL, tmp_path / "1"))


def change(path: Path, **fields: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_no_background(tmp_path: Path) -> None:
    """Without explainer.json the command that makes it is named."""
    line = refused(tmp_path)
    assert "explainer.json: No such file or directory" in line
    assert "python -m training background" in line


def test_a_background_of_another_feature_schema(version: Path) -> None:
    """Features of another schema would be compared with the wrong columns."""
    change(version / "explainer.json", feature_schema="0123456789abcdef")
    assert "feature schema 0123456789abcdef" in refused(version)


def test_a_background_of_another_model(version: Path) -> None:
    """A retrained model needs a background of its own."""
    change(version / "config.json", weights_sha256="f" * 64)
    assert "config.json beside it says ffff" in refused(version)


def test_a_request_that_could_never_be_let_in(version: Path) -> None:
    """More instances than may wait are an impossible setting."""
    assert "max_instances (16) is over max_waiting (2)" in refused(version, max_waiting=2)


def test_a_misspelt_setting(version: Path) -> None:
    """An unknown setting is not ignored."""
    assert "did you mean DNS_RISK_ANCHOR_ROWS?" in refused(version, anchor_row=1000)
