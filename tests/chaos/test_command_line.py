"""What `python -m tests.chaos` says to mistakes, and that every fault has what it needs."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.catalogue import FAULTS, SHAPES
from tests.chaos.proxy import configuration
from tests.serving.server_process import REPOSITORY


@pytest.mark.parametrize(
    ("module", "arguments", "complaint"),
    [
        ("tests.chaos", ["--times", "0"], "expected at least 1, got 0"),
        ("tests.chaos", ["--only", "flood"], "invalid choice: 'flood'"),
        ("tests.chaos", ["--frozen", "long"], "invalid float value: 'long'"),
        ("tests.chaos.fuzz", ["--requests", "7"], "expected at least 1000, got 7"),
        ("tests.chaos.soak", ["--minutes", "nan"], "expected at least 0.2, got nan"),
    ],
)
def test_a_mistake_is_one_line(module: str, arguments: list[str], complaint: str) -> None:
    """Status 2, no traceback, nothing started."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert complaint in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_every_fault_has_a_name_of_its_own_and_a_system() -> None:
    """Names choose, titles are rows of the table."""
    assert len({fault.name for fault in FAULTS}) == len({fault.what for fault in FAULTS}) == len(FAULTS)
    assert {fault.shape for fault in FAULTS} == set(SHAPES)


def test_faults_of_a_system_are_neighbours() -> None:
    """The table has the order of the catalogue, and each system starts once."""
    runs = [shape for shape, _ in itertools.groupby(FAULTS, lambda fault: fault.shape)]
    assert len(runs) == len(set(runs))


def test_the_proxy_leaves_one_out(tmp_path: Path) -> None:
    """Who is not listed gets nothing, and a failure is not hidden by another try."""
    text = configuration(
        tmp_path, {"rest": 1, "names": 2, "graphs": 3}, {"rest": [10], "names": [11], "graphs": [12, 13]}
    )
    assert "server 127.0.0.1:10 max_fails=0;" in text
    assert text.count("max_fails=0") == 4
    assert "proxy_next_upstream off" in text
    assert "grpc_next_upstream off" in text
