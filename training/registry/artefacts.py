"""What was kept of a version, read back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from predictor.checkpoint import WEIGHTS_FILE
from training.data import sha256
from training.evaluation.report import REPORT_JSON, Report, read
from training.registry.store import RegistryFailed
from training.registry.versions import Tracked

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_BYTES = 256_000_000


def files(client: MlflowClient, version: Tracked) -> dict[str, int]:
    """Bytes of the files of a version by their name, those of its folders left out."""
    found = client.list_artifacts(version.run_id, version.model_version)
    return {Path(entry.path).name: int(entry.file_size or 0) for entry in found if not entry.is_dir}


def report_of(client: MlflowClient, version: Tracked) -> Report | None:
    """The report that was kept; None where the version was not evaluated before it was tracked.

    Raises:
        UnusableReport: it is of another format.
    """
    if REPORT_JSON not in files(client, version):
        return None
    with tempfile.TemporaryDirectory() as folder:
        return read(_fetched(client, version, REPORT_JSON, Path(folder)).parent)


def check_weights(client: MlflowClient, version: Tracked) -> None:
    """Hash the weights that were kept.

    Raises:
        RegistryFailed: they are gone, or are not those that were tracked.
    """
    if WEIGHTS_FILE not in files(client, version):
        raise RegistryFailed(f"version {version}: its {WEIGHTS_FILE} is gone from {version.source}")
    with tempfile.TemporaryDirectory() as folder:
        found = sha256(_fetched(client, version, WEIGHTS_FILE, Path(folder)))
    if found != version.weights_sha256:
        raise RegistryFailed(f"version {version}: {version.source}/{WEIGHTS_FILE} is not what was tracked")


def _fetched(client: MlflowClient, version: Tracked, name: str, folder: Path) -> Path:
    size = files(client, version)[name]
    if size > MOST_BYTES:
        raise RegistryFailed(f"{name}: expected at most {MOST_BYTES:,} bytes, got {size:,}")
    return Path(client.download_artifacts(version.run_id, f"{version.model_version}/{name}", str(folder)))
