"""One echo service for all tests that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.serving.server_process import ServerProcess, running

ECHO = ("tests.serving.echo_service",)


@pytest.fixture(scope="session")
def echo(front_settings: dict[str, str]) -> Iterator[ServerProcess]:
    """A ready echo service."""
    with running(ECHO, {"max_request_bytes": str(1 << 20)} | front_settings) as server:
        yield server


@pytest.fixture(scope="session")
def http(echo: ServerProcess) -> Iterator[httpx.Client]:
    """A REST client of the echo service that keeps its connection."""
    with httpx.Client(base_url=echo.rest_url, timeout=20) as client:
        yield client
