"""Where a version comes from, with a real repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.checkpoints import configuration
from training.lineage import code_commit, recipe_sha256


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_is_that_of_the_code(tmp_path: Path) -> None:
    """With a remark where files differ from it; new files beside them do not matter."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "new.py").write_text("2")
    assert code_commit(tmp_path) == commit
    (tmp_path / "code.py").write_text("3")
    assert code_commit(tmp_path) == f"{commit} with changes"


def test_code_outside_a_repository_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where the folder above is one, where there is no commit yet, or where there is no git."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "installed").mkdir()
    assert code_commit(tmp_path / "installed") == ""
    assert code_commit(tmp_path) == ""
    monkeypatch.setenv("PATH", "")
    assert code_commit(tmp_path) == ""


def test_a_recipe_is_its_numbers() -> None:
    """Data and weights are not in it, every number is."""
    config = configuration()
    same = config.model_copy(update={"trained_on": {"other": "1" * 64}, "weights_sha256": "1" * 64})
    assert recipe_sha256(same) == recipe_sha256(config)
    other = config.model_copy(update={"training": {"seed": 1}})
    assert recipe_sha256(other) != recipe_sha256(config)
