"""`python -m explainer.global_report`, as an engineer runs it for a release."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from explainer.global_report import Unreadable, read_names
from inference_services.processes import free_ports
from tests.explainer.conftest import Services
from tests.services import SHIPPED_MODEL
from tests.serving.server_process import REPOSITORY, ServerProcess

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Well-known kinds of names: words under common suffixes, and random letters under others."""
    rng = np.random.default_rng(0)
    letters = list("bcdfghjklmnpqrstvwxyz0123456789")
    path = tmp_path_factory.mktemp("names") / "names.csv.gz"
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["domain", "label", "label_quality"])
        for first in ("city", "river", "garden", "music", "travel", "health", "school", "news"):
            for second in ("house", "world", "online", "center", "group"):
                writer.writerow([f"{first}{second}.org", 0, "strong"])
        for _ in range(40):
            writer.writerow(["".join(rng.choice(letters, 12)) + ".top", 1, "strong"])
        writer.writerow(["not a name", 1, "strong"])
        writer.writerow(["weak-label.com", 0, "weak"])
    return path


@pytest.fixture
def version(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED_MODEL, tmp_path / "1", ignore=shutil.ignore_patterns("global")))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "explainer.global_report", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def hosts(transformer: ServerProcess, predictor: ServerProcess) -> list[str]:
    return [f"--transformer_host={transformer.grpc_target}", f"--predictor_host={predictor.grpc_target}"]


def test_it_writes_pictures_figures_and_page(explained: Services, names: Path, version: Path) -> None:
    """Over the names that are some: importance of every trait, effects in units, and the same bytes again."""
    where = hosts(explained.transformer, explained.predictor)
    done = run("--names", names, "--model_dir", version, *where)
    assert done.returncode == 0, done.stderr
    folder = version / "global"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert first.keys() == {"README.md", "global.json", "importance.svg", "effects.svg"}
    told = json.loads(first["global.json"])
    assert (told["model_version"], told["names"]) == ("2", 80)
    assert {each["trait"] for each in told["importance"][:2]} == {"letters", "suffix"}
    assert "| letters |" in first["README.md"].decode()
    assert run("--names", names, "--model_dir", version, *where).returncode == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_help_is_its_own() -> None:
    """KServe, which reads the command line while it is imported, does not answer in its place."""
    assert "--transformer_host" in run("--help").stdout


def test_refusals_are_one_line(
    explained: Services, risk_predictor: ServerProcess, names: Path, version: Path, tmp_path: Path
) -> None:
    """No such file, no such columns, nobody there, another model version: status 1, and nothing is written."""
    other = tmp_path / "other.csv"
    other.write_text("name,bad\na.test,1\n")
    where = hosts(explained.transformer, explained.predictor)
    away = [f"--transformer_host=127.0.0.1:{free_ports(1)[0]}", where[1]]
    one_kind = tmp_path / "one.csv"
    one_kind.write_text("domain,label\na.test,1\n")
    unlabelled = tmp_path / "unlabelled.csv"
    unlabelled.write_text("domain,label\na.test,\n")
    cut_off = tmp_path / "cut.csv.gz"
    cut_off.write_bytes(names.read_bytes()[:200])
    for path, reason in (
        (one_kind, "expected benign and malicious names, got 1 of one kind"),
        (unlabelled, "expected a CSV file"),
        (cut_off, "expected a CSV file"),
    ):
        with pytest.raises(Unreadable, match=reason):
            read_names(path, 10, 0)
    refused = {
        "No such file": ["--names", tmp_path / "none.csv", *where],
        "expected a CSV file with columns domain and label": ["--names", other, *where],
        "does not answer": ["--names", names, *away],
        "serves model version 'test-1'": ["--names", names, *hosts(explained.transformer, risk_predictor)],
    }
    for reason, arguments in refused.items():
        done = run("--model_dir", version, *arguments)
        assert done.returncode == 1
        assert reason in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
    assert not (version / "global").exists()
