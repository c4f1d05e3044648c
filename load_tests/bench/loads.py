"""Loads on one server, started from outside an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import uvloop

from load_tests.bench.profile import profile
from load_tests.bench.services import Server
from load_tests.generator.answers import Connection
from load_tests.generator.connecting import connected
from load_tests.generator.loops import closed_loop, open_loop
from load_tests.generator.tally import Tally

_GRPC_CONNECTIONS: Final = 4
_REST_CONNECTIONS: Final = 64

Result = TypeVar("Result")


def closed(server: Server, protocol: str, requests: Sequence[Any], in_flight: int, seconds: float) -> Tally:
    """So many callers, each sending its next request when it is answered."""
    return _over(
        server,
        protocol,
        # HTTP/1.1 has one request on a connection at a time.
        min(_GRPC_CONNECTIONS, in_flight) if protocol == "grpc" else in_flight,
        lambda lines: closed_loop(lines, requests, in_flight, seconds),
    )


def opened(
    server: Server, protocol: str, requests: Sequence[Any], per_second: float, seconds: float
) -> Tally:
    """Requests at a constant rate."""
    count = _GRPC_CONNECTIONS if protocol == "grpc" else _REST_CONNECTIONS
    return _over(server, protocol, count, lambda lines: open_loop(lines, requests, per_second, seconds))


def profiled(
    server: Server, process: str, requests: Sequence[Any], in_flight: int, seconds: float
) -> tuple[Mapping[str, float], Tally]:
    """Where a process's time goes under a closed loop of gRPC.

    Raises:
        NoProfile: py-spy could not look.
    """

    async def both(lines: Sequence[Connection]) -> tuple[Mapping[str, float], Tally]:
        # py-spy takes a while to start and stop, during which the load must go on.
        load = asyncio.create_task(closed_loop(lines, requests, in_flight, seconds + 3.0))
        try:
            await asyncio.sleep(1.0)
            return await profile(server.processes[process], seconds), await load
        finally:
            load.cancel()

    return _over(server, "grpc", _GRPC_CONNECTIONS, both)


def _over(
    server: Server, protocol: str, count: int, load: Callable[[Sequence[Connection]], Awaitable[Result]]
) -> Result:
    async def run() -> Result:
        async with connected(protocol, server.target(protocol), count) as connections:
            return await load(connections)

    return uvloop.run(run())
