"""HTTP/2 connections of a gRPC client on an event loop."""

from __future__ import annotations

import asyncio
import time
from typing import cast

from load_tests.generator.answers import OnAnswer, unheard
from load_tests.generator.grpc_request import GrpcRequest
from load_tests.generator.h2_session import H2Session


class H2Connection(asyncio.Protocol):
    """One connection; `usable` is done when the peer has named its limits."""

    def __init__(self) -> None:
        self.on_answer: OnAnswer = unheard
        self.closed = False
        self._gone = asyncio.Event()
        self.usable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._session = H2Session(self._tell)
        self._transport: asyncio.Transport
        self._now_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.flush()

    def data_received(self, data: bytes) -> None:
        self._now_s = time.perf_counter()
        self._session.receive(data)
        self.closed = self.closed or self._session.going_away
        if self._session.usable and not self.usable.done():
            self.usable.set_result(None)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._gone.set()
        self._now_s = time.perf_counter()
        if not self.usable.done():
            self.usable.set_exception(exc or ConnectionResetError("closed before it named its limits"))
        self._session.lose()

    def send(self, request: GrpcRequest, intended_s: float) -> None:
        self._session.send(request, intended_s)

    def flush(self) -> None:
        out = self._session.outgoing()
        if out and not self._transport.is_closing():
            self._transport.write(out)

    async def close(self) -> None:
        self._transport.close()
        await self._gone.wait()

    def _tell(self, intended_s: float, ended: str) -> None:
        self.on_answer(self, intended_s, ended, self._now_s)


async def connect_grpc(host: str, port: int) -> H2Connection:
    """A connection that may be sent on.

    Raises:
        OSError: nobody listens, or whoever does speaks no HTTP/2.
    """
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(H2Connection, host, port)
    try:
        await asyncio.wait_for(connection.usable, 5.0)
    except TimeoutError:
        await connection.close()
        raise OSError(f"{host}:{port} answers no HTTP/2 preface") from None
    return connection
