"""One call on a connection: the message on its way in, the answer on its way out."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from serving.http2.frames import END_HEADERS, END_STREAM, HEAD, Code, Kind, frame, reset, window_update
from serving.http2.headers import RequestHead, header_block
from serving.http2.status import DEADLINE_EXCEEDED, OK, RESOURCE_EXHAUSTED, trailers

if TYPE_CHECKING:
    from serving.http2.connection import Connection

PREFIX: Final = struct.Struct(">BL")
_ANSWER_HEAD: Final = header_block([(":status", "200"), ("content-type", "application/grpc")])
_TRAILERS: Final = trailers(OK)
# One message in one DATA frame, with the headers before it and the trailers after it.
_ANSWER: Final = struct.Struct(f">HBBBL{len(_ANSWER_HEAD)}sHBBBLBL")


@runtime_checkable
class Reader(Protocol):
    """Who reads the messages of streams; one for all streams of a method."""

    def came(self, stream: Stream) -> None:
        """More of the request is there, or its end."""


@runtime_checkable
class Call(Protocol):
    """Who works for one stream."""

    def gone(self) -> None:
        """The stream has ended, by its answer or without one."""

    def expired(self) -> None:
        """The deadline has passed, and nothing was answered."""


class Stream:
    """One call, from its headers to its trailers."""

    __slots__ = (
        "_chunks",
        "_head_sent",
        "_out",
        "_trailers",
        "call",
        "closed",
        "connection",
        "deadline_s",
        "ended",
        "head",
        "number",
        "reader",
        "size",
        "window",
    )

    def __init__(self, connection: Connection, number: int, head: RequestHead, window: int) -> None:
        self.connection = connection
        self.number = number
        self.head = head
        self.window = window
        self.deadline_s = math.inf
        self.size = 0
        self.ended = False
        self.closed = False
        self.reader: Reader | None = None
        self.call: Call | None = None
        self._chunks: list[bytes] = []
        self._out: list[bytes] = []
        self._head_sent = False
        self._trailers = b""

    def time_remaining_s(self) -> float:
        """Seconds until the deadline, infinite where there is none."""
        return max(0.0, self.deadline_s - time.monotonic())

    def expire(self) -> None:
        """The deadline has passed: answer so, or give up a peer that does not read."""
        if self._out:
            self.abort(Code.CANCEL)
        elif self.call is not None:
            self.call.expired()
        else:
            self.refuse(DEADLINE_EXCEEDED, "the deadline passed before the request was there")

    def receive(self, data: bytes, *, ended: bool) -> None:
        """Take what a DATA frame brought."""
        held = self.connection.held
        if data:
            self.size += len(data)
            held.bytes += len(data)
            self._chunks.append(data)
        self.ended = ended
        limit = held.limits.message_bytes
        if self.size > limit + PREFIX.size or (not ended and self._announced() > limit):
            self.refuse(RESOURCE_EXHAUSTED, f"the message is over the limit of {limit} bytes")
        elif self.connection.crowds_out():
            self.refuse(RESOURCE_EXHAUSTED, "the server holds too many unfinished requests, try again later")
        elif self.reader is not None:
            self.reader.came(self)

    def _announced(self) -> int:
        first = self._chunks[0] if self._chunks else b""
        return PREFIX.unpack_from(first)[1] if len(first) >= PREFIX.size else 0

    def body(self) -> bytes:
        """All that came, with its prefix; it is given up here."""
        chunks, self._chunks = self._chunks, []
        self._release()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """The complete messages that have come, each with its compression flag; the rest stays."""
        came = self.body()
        place = 0
        while len(came) - place >= PREFIX.size:
            flag, size = PREFIX.unpack_from(came, place)
            end = place + PREFIX.size + size
            if end > len(came):
                break
            yield flag, came[place + PREFIX.size : end]
            # The peer may send as much again.
            self.connection.write(window_update(self.number, end - place))
            place = end
        if place < len(came):
            self._chunks = [came[place:]]
            self.size = len(came) - place
            self.connection.held.bytes += self.size

    def _release(self) -> None:
        self.connection.held.bytes -= self.size
        self.size = 0

    def answer(self, message: bytes) -> None:
        """Send the one message of a unary call, and its end."""
        connection = self.connection
        size = PREFIX.size + len(message)
        if self.closed:
            return
        if not connection.sends_now(size) or size > self.window or self._head_sent:
            self.send(message)
            self.finish(_TRAILERS)
            return
        connection.window -= size
        number = self.number
        head = _ANSWER.pack(
            0, len(_ANSWER_HEAD), Kind.HEADERS, END_HEADERS, number, _ANSWER_HEAD,
            size >> 8, size & 0xFF, Kind.DATA, 0, number, 0, len(message),
        )  # fmt: skip
        end = HEAD.pack(0, len(_TRAILERS), Kind.HEADERS, END_HEADERS | END_STREAM, number)
        connection.write(b"".join((head, message, end, _TRAILERS)))
        self._close()

    def send(self, message: bytes) -> None:
        """Send one message of several, as soon as the peer takes it."""
        if self.closed:
            return
        if not self._head_sent:
            self._head_sent = True
            head = self.connection.header_block(_ANSWER_HEAD)
            self.connection.write(frame(Kind.HEADERS, END_HEADERS, self.number, head))
        data = PREFIX.pack(0, len(message)) + message
        self._out.append(data)
        self.connection.held.bytes += len(data)
        self.push()

    def refuse(self, status: int, reason: str, metadata: tuple[tuple[str, str], ...] = ()) -> None:
        """End the call with a status; what was not sent yet is dropped."""
        if not self.closed:
            self._drop_output()
            self.finish(trailers(status, reason, metadata))

    def refuse_http(self, status: int) -> None:
        """End a request that is no gRPC with a status of HTTP."""
        block = self.connection.header_block(header_block([(":status", str(status))]))
        self.connection.write(frame(Kind.HEADERS, END_HEADERS | END_STREAM, self.number, block))
        self._close()

    def finish(self, block: bytes) -> None:
        """Send trailers once all messages have left."""
        if self.closed:
            return
        self._trailers = block
        self.push()

    def push(self) -> None:
        """Send as much as both windows and the connection take."""
        connection = self.connection
        while self._out:
            room = min(self.window, connection.room())
            if room <= 0:
                connection.pending[self.number] = self
                return
            self._send_part(room)
        connection.pending.pop(self.number, None)
        if self._trailers:
            head_less = b"" if self._head_sent else _ANSWER_HEAD
            block = connection.header_block(head_less + self._trailers)
            connection.write(frame(Kind.HEADERS, END_HEADERS | END_STREAM, self.number, block))
            self._close()

    def _send_part(self, room: int) -> None:
        data = self._out[0]
        part = data[:room]
        if len(part) == len(data):
            self._out.pop(0)
        else:
            self._out[0] = data[room:]
        self.window -= len(part)
        self.connection.window -= len(part)
        self.connection.held.bytes -= len(part)
        self.connection.write(frame(Kind.DATA, 0, self.number, part))

    def _close(self) -> None:
        if not self.ended:
            # The answer is complete: the peer need not send the rest of its request.
            self.connection.write(reset(self.number, Code.NO_ERROR))
        self.connection.patience.earn()
        self.drop()

    def abort(self, code: Code) -> None:
        """End the call by RST_STREAM."""
        if not self.closed:
            self.connection.write(reset(self.number, code))
            self.drop()

    def drop(self) -> None:
        """Forget the call, and tell whoever works for it."""
        if self.closed:
            return
        self.closed = True
        self._chunks = []
        self._release()
        self._drop_output()
        self.connection.forget(self)
        call, self.call = self.call, None
        if call is not None:
            call.gone()

    def _drop_output(self) -> None:
        self.connection.held.bytes -= sum(map(len, self._out))
        self._out = []
