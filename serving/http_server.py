"""uvicorn with a bound on header bytes, told to start and stop by us rather than by signals."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from socket import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.settings import ServingSettings


class HttpServer(uvicorn.Server):
    """One uvicorn server whose life is in the hands of `serving.server`."""

    def __init__(self, application: ASGIApp, settings: ServingSettings) -> None:
        super().__init__(_configuration(application, settings))
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: they stop both protocols together."""
        yield

    async def startup(self, sockets: Sequence[socket] | None = None) -> None:
        """Start listening, and say so."""
        await super().startup(list(sockets) if sockets is not None else None)
        self.listening.set()


def _configuration(application: ASGIApp, settings: ServingSettings) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=_bounded_protocol(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=int(settings.grace_s) + 2,
    )


class BoundedHttpProtocol(HttpToolsProtocol):
    """One REST connection; uvicorn's own takes headers without end, in bytes and in time."""

    max_header_bytes: int
    header_timeout_s: float
    header_bytes = 0
    header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a new connection as long for its first request as for the next ones."""
        super().connection_made(transport)
        self._begin_headers(self.timeout_keep_alive)

    def on_message_begin(self) -> None:
        """Headers begin."""
        self._begin_headers(self.header_timeout_s)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Headers are there; what follows is bounded by the request's deadline and body limit."""
        self._end_headers()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._end_headers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and count what came while headers are unfinished."""
        super().data_received(data)
        if self.header_timer is not None:
            self.header_bytes += len(data)
            if self.header_bytes > self.max_header_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _begin_headers(self, limit_s: float) -> None:
        self._end_headers()
        self.header_bytes = 0
        self.header_timer = self.loop.call_later(limit_s, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _end_headers(self) -> None:
        if self.header_timer is not None:
            self.header_timer.cancel()
            self.header_timer = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._end_headers()
        if not self.transport.is_closing():
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            head += "connection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(head.encode())
            self.transport.close()


def _bounded_protocol(settings: ServingSettings) -> Any:
    bounds = {
        "max_header_bytes": settings.max_header_bytes,
        "header_timeout_s": settings.header_timeout_s,
    }
    # uvicorn constructs protocols itself, so the bounds can only travel on their class.
    return type("BoundedHttpProtocol", (BoundedHttpProtocol,), bounds)
