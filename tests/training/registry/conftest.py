"""A registry in a SQLite file, filled by the command line in other processes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.serving.server_process import REPOSITORY
from tests.training.reports import estimate, figures, report, write_version
from training.__main__ import main
from training.registry.store import open_client

# Where MLflow writes down where artefacts lie.
PLACES = {"experiments": "artifact_location", "runs": "artifact_uri", "model_versions": "source"}


@dataclass(frozen=True)
class Registry:
    """Where it is, and the directories of the versions in it: "2" has no report yet."""

    uri: str
    versions: Path

    def run(self, *arguments: str, module: str = "training") -> subprocess.CompletedProcess[str]:
        """One command of a user, in a process of its own."""
        environment = {**os.environ, "MLFLOW_TRACKING_URI": self.uri}
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=500
        )

    def here(self, *arguments: str) -> int:
        """The status of the same in this process, which has the libraries already: seconds instead of ten."""
        return main([*arguments[:2], "--tracking_uri", self.uri, *arguments[2:]])

    def track(self, version: str, *more: str) -> int:
        return main(["track", str(self.versions / version), "--tracking_uri", self.uri, *more])


def filled(folder: Path) -> Registry:
    """Two versions tracked."""
    found = Registry(f"sqlite:///{folder / 'mlflow.db'}", folder / "versions")
    better = report({"names/strong": figures(auc=estimate(0.98))})
    write_version(found.versions / "1", "1", seed=1)
    write_version(found.versions / "2", "2", seed=2, made=better)
    (found.versions / "1" / "global").mkdir()
    (found.versions / "1" / "global" / "effects.svg").write_text("<svg/>")
    # What must stay where it is: data, and a link that leads to some.
    (found.versions / "1" / "names.csv.gz").write_bytes(b"data")
    (found.versions / "1" / "linked.json").symlink_to(found.versions / "1" / "names.csv.gz")
    (found.versions / "2" / "report.json").rename(found.versions / "report-of-2.json")
    for version in ("1", "2"):
        done = found.run("track", str(found.versions / version))
        assert done.returncode == 0, done.stderr
    return found


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """One that tests only read."""
    return filled(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def own(kept: Registry, tmp_path: Path) -> Iterator[Registry]:
    """One that a test may change: a copy of it, made in a second instead of a minute."""
    shutil.copytree(kept.versions.parent, tmp_path / "own", symlinks=True)
    # Imported late: it must be told first to be silent.
    open_client(kept.uri)
    from mlflow.tracking._tracking_service import utils  # noqa: PLC0415

    file = tmp_path / "own" / "mlflow.db"
    with closing(sqlite3.connect(file)) as database, database:
        for table, column in PLACES.items():
            change = f"update {table} set {column} = replace({column}, ?, ?)"  # noqa: S608  names from above
            database.execute(change, (str(kept.versions.parent), str(file.parent)))
    # MLflow remembers where a run's files lie by its id alone, and the copy has the same runs.
    utils._artifact_repos_cache.clear()  # noqa: SLF001
    yield Registry(f"sqlite:///{file}", file.parent / "versions")
    utils._artifact_repos_cache.clear()  # noqa: SLF001
