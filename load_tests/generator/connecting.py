"""Several connections of one protocol for the length of a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from load_tests.generator.answers import Connection
from load_tests.generator.h2_client import connect_grpc
from load_tests.generator.http1_client import connect_http1


@asynccontextmanager
async def connected(protocol: str, target: str, count: int) -> AsyncIterator[list[Connection]]:
    """Connections of a protocol (grpc, json or binary) to HOST:PORT, closed at the end.

    Raises:
        OSError: nobody answers there.
    """
    host, _, port = target.rpartition(":")
    one = connect_grpc if protocol == "grpc" else connect_http1
    connections: list[Connection] = []
    try:
        for _ in range(count):
            # One by one, so that those already made are closed when the next cannot be.
            connections.append(await one(host, int(port)))  # noqa: PERF401
        yield connections
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))
