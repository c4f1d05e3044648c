"""The services as processes, in front of each other, for wire tests of both."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx

from tests.serving.server_process import HOST, REPOSITORY, ServerProcess, running

SAMPLE = REPOSITORY / "examples" / "passive_dns.jsonl"
SHIPPED_MODEL = REPOSITORY / "models" / "dns-risk" / "2"


@contextmanager
def predictor(
    model_dir: Path, *, ready: bool = True, ports: tuple[int, int] | None = None, **settings: object
) -> Iterator[ServerProcess]:
    """`python -m predictor` for the length of a block, on given ports of REST and gRPC or on free ones."""
    given = {"model_dir": str(model_dir), "device": "cpu"} | _text(settings)
    process = ServerProcess(("predictor",), given, ports)
    try:
        if ready:
            process.wait_until_ready()
        yield process
    finally:
        process.stop()


def transformer(
    predictor_port: int, store: Path, *, ready: bool = True, **settings: object
) -> AbstractContextManager[ServerProcess]:
    """`python -m transformer` for the length of a block, in front of a predictor's gRPC port."""
    given = {
        "predictor_host": f"{HOST}:{predictor_port}",
        "graph_store": str(store),
        "snapshot_poll_s": "0.1",
    }
    return running(("transformer",), given | _text(settings), ready=ready)


def explainer(
    predictor_port: int, transformer_port: int, model_dir: Path, *, ready: bool = True, **settings: object
) -> AbstractContextManager[ServerProcess]:
    """`python -m explainer` for the length of a block, in front of both gRPC ports."""
    given = {
        "predictor_host": f"{HOST}:{predictor_port}",
        "transformer_host": f"{HOST}:{transformer_port}",
        "model_dir": str(model_dir),
    }
    return running(("explainer",), given | _text(settings), ready=ready)


def scripted_predictor(directory: Path) -> AbstractContextManager[ServerProcess]:
    """The peer of tests.scripted_predictor for the length of a block; it may not listen yet."""
    return running(("tests.scripted_predictor", str(directory)), ready=False)


def _text(settings: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in settings.items()}


def import_passive_dns(store: Path, *files: Path) -> None:
    """Build a snapshot by the command that users run."""
    command = [sys.executable, "-m", "transformer.graph_store", "import", *map(str, files)]
    subprocess.run([*command, "--store", str(store)], cwd=REPOSITORY, check=True, capture_output=True)


def metric(server: ServerProcess, name: str) -> float:
    """The value of one exported time series, 0 where there is none yet."""
    for line in httpx.get(f"{server.rest_url}/metrics", timeout=10).text.splitlines():
        series, _, value = line.rpartition(" ")
        if series == name:
            return float(value)
    return 0.0
