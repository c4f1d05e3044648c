"""`python -m load_tests.generator` against a predictor that runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from inference_services.processes import free_ports
from tests.serving.server_process import HOST, REPOSITORY, ServerProcess

COMMAND = [sys.executable, "-m", "load_tests.generator"]


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One run to its end."""
    return subprocess.run([*COMMAND, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", [("--in_flight", "2"), ("--rate", "20")], ids=["closed", "open"])
def test_a_load_prints_one_line(risk_predictor: ServerProcess, kind: tuple[str, str]) -> None:
    """Graphs a second, percentiles and failures, and 0 where nothing failed."""
    run = generate(risk_predictor.grpc_target, "--seconds", "0.5", *kind)
    assert run.returncode == 0, run.stdout + run.stderr
    line = run.stdout.splitlines()[-1]
    assert "graphs/s" in line
    assert line.endswith("no failures")


def test_failures_are_the_exit_status(risk_predictor: ServerProcess) -> None:
    """Requests that the server refuses end the run with 1."""
    run = generate(risk_predictor.grpc_target, "--seconds", "0.2", "--graphs", "1024")
    assert run.returncode == 1
    assert "grpc-status 3" in run.stdout


@pytest.mark.parametrize("nobody", [True, False], ids=["nobody there", "no address"])
def test_a_target_that_is_none_is_one_line(nobody: bool) -> None:
    """Nobody there, or no address at all, is said without a traceback."""
    run = generate(f"{HOST}:{free_ports(1)[0]}" if nobody else "nowhere")
    assert run.returncode != 0
    assert ("refused" if nobody else "'nowhere' is no HOST:PORT") in run.stderr
    assert "Traceback" not in run.stderr
