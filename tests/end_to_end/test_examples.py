"""Every client in examples/ works against running services, and says so when it does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_services.processes import free_ports
from tests.checkpoints import write_checkpoint
from tests.end_to_end.local_run import LocalRun, local_run
from tests.serving.server_process import HOST, REPOSITORY

pytestmark = pytest.mark.slow

EXAMPLES = sorted(path.name for path in (REPOSITORY / "examples").iterdir() if path.suffix in {".py", ".sh"})
GRPC = {"tritonclient_grpc.py"}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRun]:
    model_dir = tmp_path_factory.mktemp("model") / "1"
    write_checkpoint(model_dir)
    with local_run(model_dir, tmp_path_factory.mktemp("store")) as run:
        yield run


def ask(example: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one example as its first lines say."""
    program = str(Path("examples") / example)
    command = [program] if example.endswith(".sh") else [sys.executable, program]
    return subprocess.run(
        [*command, *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_prints_scores(services: LocalRun, example: str) -> None:
    """With the ports in the environment, as `make run` takes them, it prints names with scores."""
    done = ask(example, services.environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0." in done.stdout
    assert "ok" in done.stdout


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_takes_an_address(services: LocalRun, example: str) -> None:
    """An address as first argument is the one that is asked."""
    address = services.grpc if example in GRPC else services.rest
    done = ask(example, {"PATH": services.environment["PATH"]}, address)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_fails_when_nobody_answers(services: LocalRun, example: str) -> None:
    """Without a server it says so in a line and fails."""
    done = ask(example, services.environment, f"{HOST}:{free_ports(1)[0]}")
    assert done.returncode != 0
    assert done.stdout.strip() == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
