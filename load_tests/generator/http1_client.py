"""HTTP/1.1 keep-alive connections, one request at a time on each."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httptools

from load_tests.generator.answers import LOST, OK, OnAnswer, unheard

_SHOWN_BYTES = 200


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One POST as bytes, and bytes that a good answer holds."""

    wire: bytes
    holds: bytes = b""


def http_request(
    host: str, path: str, body: bytes, headers: Mapping[str, str], holds: bytes = b""
) -> HttpRequest:
    """A POST made beforehand."""
    lines = [f"POST {path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return HttpRequest("\r\n".join([*lines, "\r\n"]).encode() + body, holds)


class Http1Connection(asyncio.Protocol):
    """One connection; what is sent while it is busy waits for its turn."""

    def __init__(self) -> None:
        self.on_answer: OnAnswer = unheard
        self.closed = False
        self._gone = asyncio.Event()
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: deque[tuple[HttpRequest, float]] = deque()
        self._under_way: tuple[HttpRequest, float] | None = None
        self._body: list[bytes] = []
        self._now_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._now_s = time.perf_counter()
        self._parser.feed_data(data)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._gone.set()
        self._now_s = time.perf_counter()
        lost = [*([self._under_way] if self._under_way else []), *self._waiting]
        self._waiting.clear()
        for _, intended_s in lost:
            self.on_answer(self, intended_s, f"{LOST}: {exc}" if exc else LOST, self._now_s)

    def send(self, request: HttpRequest, intended_s: float) -> None:
        self._waiting.append((request, intended_s))

    def flush(self) -> None:
        if self._under_way is None and self._waiting and not self.closed:
            self._under_way = self._waiting.popleft()
            self._transport.write(self._under_way[0].wire)

    async def close(self) -> None:
        self._transport.close()
        await self._gone.wait()

    def on_body(self, body: bytes) -> None:
        """Called by the parser with a part of an answer."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of an answer."""
        body = b"".join(self._body)
        self._body.clear()
        under_way, self._under_way = self._under_way, None
        if not self._parser.should_keep_alive():
            self.closed = True
        if under_way is not None:
            request, intended_s = under_way
            self.on_answer(self, intended_s, self._flaw(request, body), self._now_s)

    def _flaw(self, request: HttpRequest, body: bytes) -> str:
        status = self._parser.get_status_code()
        if status != 200:
            return f"HTTP status {status}: {body[:_SHOWN_BYTES].decode(errors='replace')}"
        return OK if request.holds in body else f"the answer lacks {request.holds.decode(errors='replace')}"


async def connect_http1(host: str, port: int) -> Http1Connection:
    """A connection that may be sent on.

    Raises:
        OSError: nobody listens.
    """
    _, connection = await asyncio.get_running_loop().create_connection(Http1Connection, host, port)
    return connection
