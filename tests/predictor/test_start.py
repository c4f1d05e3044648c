"""Starts that must fail: one line that says what to do, and no traceback."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.feature_schema import FEATURE_SCHEMA
from predictor.checkpoint import CONFIG_FILE
from tests.checkpoints import write_checkpoint
from tests.services import predictor
from tests.serving.server_process import HOST, ServerProcess

Damage = Callable[[Path], None]


def _edit(**changes: object) -> Damage:
    def damage(directory: Path) -> None:
        path = directory / CONFIG_FILE
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return damage


def _remove(name: str) -> Damage:
    return lambda directory: (directory / name).unlink()


def _cut(name: str) -> Damage:
    def damage(directory: Path) -> None:
        path = directory / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return damage


STARTS: dict[str, tuple[Damage, list[str]]] = {
    "missing checkpoint": (
        _remove(CONFIG_FILE),
        ["config.json: No such file", "--model_dir", "DNS_RISK_MODEL_DIR", "make train"],
    ),
    "damaged configuration": (_cut(CONFIG_FILE), ["config.json: file: Invalid JSON"]),
    "other weights": (
        _edit(weights_sha256="0" * 64),
        ["model.safetensors: not the weights that config.json names", "copy both again"],
    ),
    "another feature schema": (
        _edit(feature_schema="0123456789abcdef"),
        ["0123456789abcdef", FEATURE_SCHEMA, "make train"],
    ),
}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ServerProcess]]:
    """All of them at once, since each has torch to import before it can fail."""
    with ExitStack() as stack:
        processes = {}
        for case, (damage, _) in STARTS.items():
            directory = tmp_path_factory.mktemp("damaged")
            write_checkpoint(directory)
            damage(directory)
            processes[case] = stack.enter_context(predictor(directory, ready=False))
        yield processes


@pytest.mark.parametrize("case", STARTS)
def test_an_impossible_start_is_one_line(started: dict[str, ServerProcess], case: str) -> None:
    """The process ends with a status and one line, which names the file and the way out."""
    process = started[case]
    assert process.wait(90) == 1
    lines = process.log().splitlines()
    assert len(lines) == 1, process.log()
    for part in STARTS[case][1]:
        assert part in lines[0]


@pytest.mark.parametrize("setting", ["rest_port", "grpc_port"])
def test_a_port_in_use_is_one_line(model_dir: Path, setting: str) -> None:
    """A taken port ends the start with its number and the setting that changes it."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with predictor(model_dir, ready=False, log_level="WARNING", **{setting: port}) as process:
            assert process.wait(60) == 1
            lines = process.log().splitlines()
    assert len(lines) == 1, lines
    assert f"port {port}: address already in use" in lines[0]
    assert f"DNS_RISK_{setting.upper()}" in lines[0]
