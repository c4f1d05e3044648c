"""A model version of a release that computes other features."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

OTHER_SCHEMA = "another-release"


def make_model(shipped: Path, directory: Path) -> Path:
    """The shipped version as if it had been trained on other features."""
    shutil.copytree(shipped, directory)
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"feature_schema": OTHER_SCHEMA}))
    return directory
