"""The resolver benchmark as users run it; what figures it prints is nobody's to assert."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.server_process import REPOSITORY

COMMAND = [sys.executable, "-m", "load_tests.bench_resolver"]


@pytest.mark.slow
def test_the_sidecar_is_measured_and_loses_nothing(tmp_path: Path) -> None:
    """A quick run of the parts without resolvers: figures for each, and every row of dnstap accounted for."""
    out = tmp_path / "figures.json"
    run = subprocess.run(
        [*COMMAND, "--quick", "--parts", "dnstap,cache,zone", "--json", str(out)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    figures = {
        (figure["part"], figure["what"]): figure["value"] for figure in json.loads(out.read_text())["figures"]
    }
    assert figures["dnstap", "rows lost of 100,000"] == 0
    assert {part for part, _ in figures} == {"dnstap", "cache", "zone"}
    assert "| dnstap | rows a second of processor time |" in run.stdout


def test_an_unknown_part_is_one_line() -> None:
    """With those that there are."""
    run = subprocess.run(
        [*COMMAND, "--parts", "speed"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr == "no part speed: there are dnstap, cache, zone, cost, block\n"
