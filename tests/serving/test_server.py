from __future__ import annotations

import subprocess
import sys

import pytest

from inference_services.processes import free_ports
from tests.serving.server_process import HOST, REPOSITORY, ServerProcess, running

ECHO = "tests.serving.echo_service"


@pytest.mark.every_front
def test_kserves_own_clients_are_served(echo: ServerProcess) -> None:
    """KServe's REST and gRPC clients get health, readiness and inference from this server."""
    command = [sys.executable, "-m", "tests.serving.kserve_clients", echo.rest_url, echo.grpc_target]
    asked = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == f"{[True] * 6}\n"


@pytest.mark.parametrize(("wanted", "loop"), [("auto", "uvloop"), ("asyncio", "asyncio.unix_events")])
def test_event_loop_is_the_one_set(wanted: str, loop: str) -> None:
    """The loop that serves is uvloop unless asyncio's own is asked for."""
    with running([ECHO], {"log_level": "DEBUG", "event_loop": wanted}) as server:
        assert f'"event": "event_loop", "loop": "{loop}"' in server.log()


def test_flags_of_the_controller_win() -> None:
    """The flags that KServe's controller appends are understood and override the environment."""
    rest_port, grpc_port = free_ports(2)
    flags = ["--http_port", str(rest_port), f"--grpc_port={grpc_port}", "--model_name=echo", "--workers=1"]
    server = ServerProcess([ECHO, *flags])
    server.rest_port, server.grpc_port = rest_port, grpc_port
    try:
        server.wait_until_ready()
        assert server.rest_url == f"http://{HOST}:{rest_port}"
    finally:
        server.stop()


def test_unknown_flag_is_one_line() -> None:
    """A misspelt flag ends the start with one line."""
    server = ServerProcess([ECHO, "--htp_port=1"])
    try:
        assert server.wait() == 1
        assert server.log() == "unknown flags: --htp_port=1\n"
    finally:
        server.stop()


@pytest.mark.every_front
def test_requests_leave_no_log_lines(echo: ServerProcess) -> None:
    """A served request is counted, not logged."""
    before = echo.log()
    assert echo.status_of("/v2/models/echo") == 200
    assert echo.log() == before
