"""Model versions that faults need, made of the shipped one without torch, which takes seconds to import."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from safetensors.numpy import load_file, save_file

from tests.services import SHIPPED_MODEL

OTHER_SCHEMA = "another-release"
# Added to the log-odds of malice, so that every score is another one.
SHIFT = 1.0
_WEIGHTS, _CONFIG = "model.safetensors", "config.json"


def of_other_schema(directory: Path) -> Path:
    """The shipped version as if it had been trained on other features."""
    return _copy(directory, feature_schema=OTHER_SCHEMA)


def shifted(directory: Path) -> Path:
    """Another version, with other scores."""
    weights = load_file(SHIPPED_MODEL / _WEIGHTS)
    # Row by row: names alone, names with evidence; column 1 is added to the log-odds.
    weights["calibration"][:, 1] += SHIFT
    directory.mkdir(parents=True)
    save_file(weights, directory / _WEIGHTS)
    digest = hashlib.sha256((directory / _WEIGHTS).read_bytes()).hexdigest()
    return _copy(directory, version="shifted", weights_sha256=digest)


def _copy(directory: Path, **changes: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / _WEIGHTS).exists():
        shutil.copy(SHIPPED_MODEL / _WEIGHTS, directory / _WEIGHTS)
    config = json.loads((SHIPPED_MODEL / _CONFIG).read_text()) | changes
    (directory / _CONFIG).write_text(json.dumps(config))
    return directory
