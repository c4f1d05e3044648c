from __future__ import annotations

import subprocess
import sys

from tests.serving.server_process import REPOSITORY


def flags_of(*arguments: str) -> str:
    """What `given_flags` makes of a command line; in a process of its own, as it imports kserve."""
    script = "import sys; from serving.flags import given_flags; print(given_flags(sys.argv[1:]))"
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()


def test_only_given_flags_count() -> None:
    """KServe's defaults do not override the environment; given flags carry the names of settings."""
    assert flags_of() == "{}"
    assert (
        flags_of("--http_port=8080", "--predictor_host", "p:9")
        == "{'rest_port': 8080, 'predictor_host': 'p:9'}"
    )
