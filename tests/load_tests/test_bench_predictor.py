"""The benchmark as users run it; what figures it prints is nobody's to assert."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.server_process import REPOSITORY

COMMAND = [sys.executable, "-m", "load_tests.bench_predictor"]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One run to its end."""
    return subprocess.run([*COMMAND, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_reduced_table_is_measured_and_written(model_dir: Path, tmp_path: Path) -> None:
    """A quick run ends with 0, prints what it measured, and writes the same tables and every repeat."""
    written, figures = tmp_path / "table.md", tmp_path / "figures.json"
    run = bench(
        *("--quick", "--parts", "predictor,plain,latency", "--in_flight", "16", "--graphs", "1"),
        *("--model_dir", str(model_dir), "--markdown", str(written), "--json", str(figures)),
    )
    assert run.returncode == 0, run.stderr
    for what in (
        "ours: gRPC, 1 graph",
        "plain KServe: REST JSON, 1 graph",
        "best ÷ plain KServe's best",
        "p99 ms",
    ):
        assert what in run.stdout
        assert what in written.read_text()
    document = json.loads(figures.read_text())
    assert document["failures"] == {}
    assert document["machine"]["processor"]
    assert document["figures"]["ours/grpc/1 graphs/16 in flight"][0] > 0


@pytest.mark.slow
def test_joining_is_compared_with_none(model_dir: Path) -> None:
    """Joined and unjoined run beside each other; where the time goes is a table or a reason why not."""
    run = bench("--quick", "--parts", "joining,profile", "--graphs", "1", "--model_dir", str(model_dir))
    assert "joined ÷ unjoined" in run.stdout
    assert "percent of the predictor's busy time" in run.stdout or "no profile" in run.stderr


@pytest.mark.slow
def test_names_go_through_both_services(model_dir: Path, tmp_path: Path) -> None:
    """The part of names starts transformer and predictor, and says what each of them costs."""
    figures = tmp_path / "figures.json"
    run = bench(
        *("--quick", "--parts", "limit,names", "--graphs", "1"),
        *("--model_dir", str(model_dir), "--json", str(figures)),
    )
    assert run.returncode == 0, run.stderr
    measured = json.loads(figures.read_text())["figures"]
    for figure in ("names a second", "CPU s of the transformer a 1,000", "CPU s of the predictor a 1,000"):
        assert measured[f"ours/grpc/256 names/{figure}"][0] > 0
    assert measured["ours/memory/predictor"][0] > 100
    assert measured["bare/32 graphs"][0] > 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--compare", "grpc_frunt=a,b"), "neither predictor nor transformer has a setting 'grpc_frunt'"),
        (("--parts", "limit", "--model_dir", "nowhere"), "nowhere/config.json: No such file"),
    ],
)
def test_what_cannot_be_measured_is_one_line(arguments: tuple[str, ...], complaint: str) -> None:
    """An impossible option or model ends the run with 1 and without a traceback."""
    run = bench(*arguments)
    assert run.returncode == 1
    assert complaint in run.stderr
    assert "Traceback" not in run.stderr
