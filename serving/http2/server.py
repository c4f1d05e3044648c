"""The server: an open port, its methods, and the clock of its connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from socket import socket
from typing import Any, Final

from serving.http2 import status
from serving.http2.calls import Unary, reader_of
from serving.http2.connection import Connection
from serving.http2.limits import Held, Limits
from serving.http2.stream import Reader, Stream

# How late a deadline may be noticed, and how often connections are looked at.
_SWEEP_S: Final = 0.02
_TICK_S: Final = 0.5
# asyncio listens anew, by default for a hundred: in a storm the others would try again a second later.
_BACKLOG: Final = 2048
_CONTENT_TYPE: Final = "application/grpc"


class Http2Server:
    """A gRPC server; servicers register with it as with grpc's own."""

    def __init__(self, limits: Limits) -> None:
        self.held = Held(limits)
        self._connections: set[Connection] = set()
        self._readers: dict[str, Reader] = {}
        self._streaming: set[str] = set()
        self._doors: dict[str, Callable[[Stream], bool]] = {}
        self._listener: socket | None = None
        self._server: asyncio.Server | None = None
        self._clock: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Nothing: the generated code registers every method a second time by its name."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Serve methods; the last one registered for a path is the one that is called."""
        for name, handler in handlers.items():
            path = f"/{service}/{name}"
            self._readers[path] = reader_of(handler)
            if handler.request_streaming or handler.response_streaming:
                self._streaming.add(path)

    def add_unary(
        self, path: str, take: Callable[[Stream, bytes], None], door: Callable[[Stream], bool]
    ) -> None:
        """Serve a method without a task.

        Args:
            path: of the method.
            take: gets every message on the loop, and answers when it can.
            door: asked at the head of a request, before its message costs anything; false if it refused it.
        """
        self._readers[path] = Unary(take)
        self._doors[path] = door

    def listen_on(self, listener: socket) -> None:
        """Take connections from this socket once `start` is called."""
        self._listener = listener

    async def start(self) -> None:
        """Begin to serve."""
        loop = asyncio.get_running_loop()
        if self._listener is None:
            raise RuntimeError("no socket to listen on. This is a bug.")
        self._server = await loop.create_server(
            lambda: Connection(self), sock=self._listener, backlog=_BACKLOG
        )
        self._clock = asyncio.create_task(self._tick(), name="http2")

    async def stop(self, grace: float | None) -> None:
        """Close the port; end connections once their calls are answered, or after the grace.

        Args:
            grace: seconds; None ends them now.
        """
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.leave() if grace is not None else connection.abort()
        try:
            async with asyncio.timeout(1.0 if grace is None else grace):
                await self._empty.wait()
        except TimeoutError:
            for connection in tuple(self._connections):
                connection.abort()
        if self._clock is not None:
            self._clock.cancel()

    def joined(self, connection: Connection) -> None:
        """A connection was accepted."""
        self._connections.add(connection)
        self._empty.clear()

    def left(self, connection: Connection) -> None:
        """A connection is closed."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    def opened(self, stream: Stream) -> None:
        """Find the method of a call, and its deadline."""
        head, limits = stream.head, self.held.limits
        if not head.content_type.startswith(_CONTENT_TYPE):
            stream.refuse_http(415)
            return
        reader = self._readers.get(head.path)
        if reader is None:
            stream.refuse(status.UNIMPLEMENTED, "no such method here")
        elif self.held.calls > limits.calls:
            stream.refuse(status.RESOURCE_EXHAUSTED, f"{limits.calls} calls are open, try again later")
        elif (door := self._doors.get(head.path)) is None or door(stream):
            self._set_deadline(stream)
            stream.reader = reader

    def _set_deadline(self, stream: Stream) -> None:
        head, limits = stream.head, self.held.limits
        if head.timeout is None:
            if head.path not in self._streaming:
                stream.deadline_s = time.monotonic() + limits.deadline_s
            return
        try:
            timeout_s = head.timeout_s()
        except ValueError as flaw:
            stream.refuse(status.INVALID_ARGUMENT, str(flaw))
            return
        if timeout_s is not None:
            limit_s = timeout_s if head.path in self._streaming else min(timeout_s, limits.max_deadline_s)
            stream.deadline_s = time.monotonic() + limit_s

    async def _tick(self) -> None:
        looked_s = 0.0
        while True:
            await asyncio.sleep(_SWEEP_S)
            now_s = time.monotonic()
            for connection in tuple(self._connections):
                _expire(connection, now_s)
            if now_s - looked_s >= _TICK_S:
                looked_s = now_s
                for connection in tuple(self._connections):
                    connection.tick(now_s)


def _expire(connection: Connection, now_s: float) -> None:
    if not connection.streams:
        return
    late = [stream for stream in connection.streams.values() if stream.deadline_s <= now_s]
    for stream in late:
        stream.expire()
