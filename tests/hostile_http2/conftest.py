"""An echo service with small limits for each front; after every test it must have survived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.hostile_http2.attacker import Attacker
from tests.hostile_http2.survival import Survivor
from tests.serving.server_process import ServerProcess, running

ECHO = ("tests.serving.echo_service",)
LIMITS = {
    "max_request_bytes": str(1 << 20),
    "max_header_bytes": str(8 << 10),
    "max_in_flight": "32",
    # What grpc.aio allows on a connection: calls in flight, and 64 beside them.
    "grpc_max_streams": "96",
    "header_timeout_s": "1",
    "default_deadline_ms": "2000",
    "max_deadline_ms": "4000",
    "grpc_keepalive_s": "10",
    "grace_s": "5",
}
Connect = Callable[..., Attacker]


@pytest.fixture(scope="session")
def server(front_settings: dict[str, str]) -> Iterator[ServerProcess]:
    """The server under attack."""
    with running(ECHO, LIMITS | front_settings) as process:
        yield process


@pytest.fixture
def strange(server: ServerProcess) -> Iterator[Connect]:
    """Opens connections on which nothing was said yet."""
    with ExitStack() as connections:
        yield lambda **options: connections.enter_context(closing(Attacker(server.grpc_port, **options)))


@pytest.fixture
def connect(strange: Connect) -> Connect:
    """Opens connections on which both sides have introduced themselves."""
    return lambda *settings: strange().greet(*settings)


@pytest.fixture(autouse=True)
def survivor(server: ServerProcess, request: pytest.FixtureRequest) -> Iterator[Survivor]:
    """Whatever was done to it: the server lives, answers others, kept its memory bounded, logged no traceback."""
    # Set up before this one, so that the attacker's connections are still open when it is checked.
    request.getfixturevalue("strange")
    survivor = Survivor(server)
    yield survivor
    survivor.check()


@pytest.fixture(autouse=True)
def known_shortcoming(front: str, request: pytest.FixtureRequest) -> None:
    """A test marked `falls_short(front, why)` must fail on that front, and pass on every other."""
    for marker in request.node.iter_markers("falls_short"):
        known, why = marker.args
        if front == known:
            request.applymarker(pytest.mark.xfail(reason=why, strict=True))
