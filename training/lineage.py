"""Where a version comes from: code, recipe, data."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Final

from predictor.checkpoint import ModelConfig

CODE: Final = Path(__file__).parents[1]
_TIMEOUT_S: Final = 20


def recipe_sha256(config: ModelConfig) -> str:
    """A hash of every number of training and architecture, those that validation has chosen included."""
    numbers = {"training": config.training, "architecture": config.architecture.model_dump(mode="json")}
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


def code_commit(code: Path = CODE) -> str:
    """The commit of this code, "… with changes" where files differ from it; "" outside a repository."""
    # A folder inside somebody else's repository has a commit too, but not this code's.
    if not (code / ".git").exists():
        return ""
    commit = _git(code, "rev-parse", "HEAD")
    changed = commit and _git(code, "status", "--porcelain", "--untracked-files=no")
    return f"{commit} with changes" if changed else commit


def _git(code: Path, *arguments: str) -> str:
    command = ["git", "-C", str(code), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
