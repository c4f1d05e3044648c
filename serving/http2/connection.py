"""One HTTP/2 connection: its streams and its own end.

Every byte that is kept is counted in `limits.Held`. `receiver` reads, `sender` writes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final, Protocol, runtime_checkable

from serving.http2 import frames
from serving.http2.frames import (
    DEFAULT_FRAME_BYTES,
    DEFAULT_WINDOW,
    LARGEST_WINDOW,
    STREAM_BITS,
    Code,
    ConnectionFault,
    Kind,
    Setting,
    StreamFault,
)
from serving.http2.headers import RequestHead
from serving.http2.limits import Held, Patience
from serving.http2.receiver import Receiver
from serving.http2.sender import Sender
from serving.http2.stream import PREFIX, Stream

_LOG: Final = logging.getLogger(__name__)

# What a peer may have under way on one connection; what of it is kept is bounded by `Held`.
_OWN_WINDOW: Final = 16 * 1024 * 1024
_LINGER_S: Final = 1.0
_DRAINING: Final = b"draining"
_ALIVE: Final = b"alive???"


@runtime_checkable
class Host(Protocol):
    """The server that connections belong to."""

    held: Held

    def joined(self, connection: Connection) -> None: ...

    def left(self, connection: Connection) -> None: ...

    def opened(self, stream: Stream) -> None:
        """A call has begun: say who reads it, or refuse it."""


class Connection(Sender):
    """The protocol of one accepted socket."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self.held = host.held
        self.patience = Patience()
        # Streams that were ended before their request was complete, and how many frames of it may still come.
        self.cut_short: dict[int, int] = {}
        self._receiver = Receiver(self, host.held.limits.header_bytes)
        self._born_s = self._heard_s = time.monotonic()
        self._asked_s = 0.0
        self._leaving_s = 0.0
        self._door_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        super().connection_made(transport)
        limits = self.held.limits
        own = [
            (Setting.MAX_CONCURRENT_STREAMS, limits.streams),
            (Setting.INITIAL_WINDOW_SIZE, min(LARGEST_WINDOW, limits.message_bytes + PREFIX.size)),
            (Setting.MAX_HEADER_LIST_SIZE, limits.header_bytes),
        ]
        self.write(frames.settings(own) + frames.window_update(0, _OWN_WINDOW - DEFAULT_WINDOW))
        self._host.joined(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes as they come."""
        self._heard_s = time.monotonic()
        if self.dead:
            return
        try:
            self._receiver.take(data)
        except ConnectionFault as fault:
            self._die(fault)
        except Exception:  # noqa: BLE001 - a bug must cost one connection, not the loop
            _LOG.exception("connection_failed")
            self._die(ConnectionFault(Code.INTERNAL_ERROR, "internal error"))

    def connection_lost(self, _reason: Exception | None) -> None:
        """Nobody waits on any stream any more."""
        self.dead = True
        self._drop_streams()
        self._host.left(self)

    def open_stream(self, number: int, head: RequestHead, *, ended: bool) -> None:
        """A request has begun.

        Raises:
            StreamFault: as many as allowed are open.
        """
        if self._door_closed:
            return
        if len(self.streams) >= self.held.limits.streams:
            raise StreamFault(Code.REFUSED_STREAM, "too many streams")
        stream = self.streams[number] = Stream(self, number, head, self.peer_window)
        self.held.calls += 1
        self._host.opened(stream)
        if ended and not stream.closed:
            stream.receive(b"", ended=True)

    def hold_back(self) -> None:
        """A request found no room: if too many do, read nothing more from here for a moment."""
        pause_s = self.held.refusals.pause_s()
        if pause_s and not self.held_back and not self.dead:
            self.held_back = True
            self.read_or_wait()
            self.loop.call_later(pause_s, self._read_on)

    def _read_on(self) -> None:
        self.held_back = False
        self.read_or_wait()

    def crowds_out(self) -> bool:
        """Whether more of requests is kept for this connection than there is room left for all others.

        So one connection fills half of the room at most, and small requests of others always find some.
        """
        room_bytes = self.held.limits.held_bytes
        left = room_bytes - self.held.bytes
        return left < room_bytes // 2 and sum(stream.size for stream in self.streams.values()) > left

    def end_stream(self, number: int, code: Code) -> None:
        """The peer broke the protocol within a stream."""
        stream = self.streams.get(number)
        if stream is not None:
            stream.abort(code)
        else:
            self.write(frames.reset(number, code))

    def forget(self, stream: Stream) -> None:
        """A stream has ended."""
        self.streams.pop(stream.number, None)
        self.pending.pop(stream.number, None)
        self.held.calls -= 1
        if not stream.ended:
            if len(self.cut_short) >= self.held.limits.streams:
                self.cut_short.pop(next(iter(self.cut_short)))
            self.cut_short[stream.number] = self.held.limits.message_bytes // DEFAULT_FRAME_BYTES + 1
        if self._door_closed:
            self._close_if_done()

    def _drop_streams(self) -> None:
        for stream in tuple(self.streams.values()):
            stream.drop()

    def leave(self) -> None:
        """Take no new calls, gracefully: calls that are on their way are still answered."""
        if not self._leaving_s and not self.dead:
            self._leaving_s = time.monotonic()
            ping = frames.frame(Kind.PING, 0, 0, _DRAINING)
            self.write(frames.goaway(STREAM_BITS, Code.NO_ERROR) + ping)
            self.loop.call_later(_LINGER_S, self._close_door)

    def ping_answered(self, payload: bytes) -> None:
        """All that the peer sent before it heard that we leave has come."""
        if payload == _DRAINING and self._leaving_s:
            self._close_door()

    def _close_door(self) -> None:
        if not self._door_closed and not self.dead:
            self._door_closed = True
            self.write(frames.goaway(self._receiver.last_stream, Code.NO_ERROR))
            self._close_if_done()

    def _close_if_done(self) -> None:
        if not self.streams and not self.dead:
            self.flush()
            self.transport.close()

    def tick(self, now_s: float) -> None:
        """Look now and then whether the peer lives, and whether the connection is to be renewed."""
        limits = self.held.limits
        if self._leaving_s:
            if now_s - self._leaving_s > limits.max_age_grace_s:
                self.abort()
        elif not self._receiver.introduced:
            if now_s - self._born_s > limits.header_timeout_s:
                self._die(ConnectionFault(Code.SETTINGS_TIMEOUT, "no preface in time"))
        elif limits.max_age_s and now_s - self._born_s > limits.max_age_s:
            self.leave()
        elif self._asked_s > self._heard_s:
            if now_s - self._asked_s > limits.keepalive_limit_s:
                self.abort()
        elif now_s - self._heard_s > limits.keepalive_s:
            self._asked_s = now_s
            self.write(frames.frame(Kind.PING, 0, 0, _ALIVE))

    def abort(self) -> None:
        """End the connection now; what was not sent is lost."""
        self.dead = True
        self.transport.abort()

    def _die(self, fault: ConnectionFault) -> None:
        if self.dead:
            return
        self.write(frames.goaway(self._receiver.last_stream, fault.code, str(fault)))
        self.flush()
        self.dead = True
        self._drop_streams()
        self.transport.close()
        # A peer that does not read must not keep the socket.
        self.loop.call_later(_LINGER_S, self.transport.abort)
