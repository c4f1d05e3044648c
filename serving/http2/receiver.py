"""What comes in on a connection: bytes to frames, frames to what they ask for.

Every frame that costs the peer nothing is paid for from its patience (`limits.Patience`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from serving.http2 import frames
from serving.http2.frames import (
    ACK,
    DEFAULT_FRAME_BYTES,
    END_HEADERS,
    END_STREAM,
    HEAD,
    HEAD_BYTES,
    PREFACE,
    PRIORITY,
    STREAM_BITS,
    Code,
    ConnectionFault,
    Kind,
    StreamFault,
)
from serving.http2.headers import READ_TIMES, HeaderReader

if TYPE_CHECKING:
    from serving.http2.connection import Connection

# Bytes of PRIORITY, alone or in HEADERS.
_PRIORITY_BYTES: Final = 5
_PING_BYTES: Final = 8
_CODE_BYTES: Final = 4
_GOAWAY_BYTES: Final = 8
_CREDIT_BYTES: Final = 1024 * 1024


class Receiver:
    """The reading half of one connection."""

    def __init__(self, connection: Connection, header_bytes: int) -> None:
        self.introduced = False
        self.last_stream = 0
        self._connection = connection
        self._header_bytes = header_bytes
        self._reader = HeaderReader(header_bytes)
        self._rest = b""
        # Stream, flags and parts of a header block whose end has not come.
        self._block: tuple[int, int, list[bytes]] | None = None
        self._uncredited = 0

    def take(self, data: bytes) -> None:
        """Handle every complete frame and keep the rest.

        Raises:
            ConnectionFault: the peer broke the protocol or our patience.
        """
        if self._rest:
            data = self._rest + data
        place = 0 if self.introduced else self._introduction(data)
        end = len(data)
        while self.introduced and end - place >= HEAD_BYTES:
            high, low, kind, flags, number = HEAD.unpack_from(data, place)
            size = high << 8 | low
            if size > DEFAULT_FRAME_BYTES:
                raise ConnectionFault(Code.FRAME_SIZE_ERROR, "a frame larger than allowed")
            stop = place + HEAD_BYTES + size
            if stop > end:
                break
            self._frame(kind, flags, number & STREAM_BITS, data[place + HEAD_BYTES : stop])
            place = stop
        self._rest = data[place:] if place else data

    def _introduction(self, data: bytes) -> int:
        if not PREFACE.startswith(data[: len(PREFACE)]):
            raise ConnectionFault(Code.PROTOCOL_ERROR, "this port speaks HTTP/2 without TLS")
        if len(data) < len(PREFACE) + HEAD_BYTES:
            return 0
        if data[len(PREFACE) + 3] != Kind.SETTINGS or data[len(PREFACE) + 4] & ACK:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "the preface has no SETTINGS")
        self.introduced = True
        return len(PREFACE)

    def _frame(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if self._block is not None and (kind != Kind.CONTINUATION or number != self._block[0]):
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a header block that is not finished")
        if kind >= len(_HANDLERS):
            # Unknown types are ignored (RFC 9113, 5.5), but not for nothing.
            self._connection.patience.spend()
            return
        try:
            _HANDLERS[kind](self, flags, number, payload)
        except StreamFault as fault:
            self._connection.patience.spend()
            self._connection.end_stream(number, fault.code)

    def _data(self, flags: int, number: int, payload: bytes) -> None:
        self._credit(len(payload))
        body = frames.unpadded(flags, payload)
        ended = bool(flags & END_STREAM)
        stream = self._connection.streams.get(number)
        if stream is None:
            self._not_idle(number)
            self._late_data(number)
        elif stream.ended:
            raise StreamFault(Code.STREAM_CLOSED, "DATA after the end of the stream")
        else:
            if not body and not ended:
                self._connection.patience.spend()
            stream.receive(body, ended=ended)

    def _late_data(self, number: int) -> None:
        # The rest of a request that was answered early was on its way; that much is borne for nothing.
        frames_left = self._connection.cut_short.get(number, 0)
        if frames_left:
            self._connection.cut_short[number] = frames_left - 1
        else:
            self._connection.patience.spend()

    def _credit(self, size: int) -> None:
        # All that is kept is counted elsewhere, so the connection's window is only ever given back.
        self._uncredited += size
        if self._uncredited >= _CREDIT_BYTES:
            self._connection.write(frames.window_update(0, self._uncredited))
            self._uncredited = 0

    def _headers(self, flags: int, number: int, payload: bytes) -> None:
        block = frames.unpadded(flags, payload)
        if flags & PRIORITY:
            if len(block) < _PRIORITY_BYTES:
                raise ConnectionFault(Code.FRAME_SIZE_ERROR, "HEADERS too short for their priority")
            block = block[_PRIORITY_BYTES:]
        if flags & END_HEADERS:
            self._block_complete(number, flags, block)
        else:
            self._block = (number, flags, [block])

    def _continuation(self, flags: int, _number: int, payload: bytes) -> None:
        if self._block is None:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "CONTINUATION of nothing")
        self._connection.patience.spend()
        number, first_flags, parts = self._block
        parts.append(payload)
        if sum(map(len, parts)) > READ_TIMES * self._header_bytes:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "the header block is too large")
        if flags & END_HEADERS:
            self._block = None
            self._block_complete(number, first_flags, b"".join(parts))

    def _block_complete(self, number: int, flags: int, block: bytes) -> None:
        ended = bool(flags & END_STREAM)
        connection = self._connection
        stream = connection.streams.get(number)
        if stream is not None:
            self._reader.skip(block)
            if stream.ended or not ended:
                raise StreamFault(Code.PROTOCOL_ERROR, "HEADERS in the middle of a stream")
            stream.receive(b"", ended=True)
        elif number in connection.cut_short:
            self._reader.skip(block)
        else:
            self._new_stream(number)
            connection.open_stream(number, self._reader.read(block), ended=ended)

    def _new_stream(self, number: int) -> None:
        if number % 2 == 0 or number <= self.last_stream:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a stream number out of order")
        self.last_stream = number

    def _not_idle(self, number: int) -> None:
        if number == 0 or number > self.last_stream or number % 2 == 0:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a frame on a stream that was never opened")

    def _priority(self, _flags: int, number: int, payload: bytes) -> None:
        self._connection.patience.spend()
        if number == 0:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "PRIORITY of the connection")
        if len(payload) != _PRIORITY_BYTES:
            raise StreamFault(Code.FRAME_SIZE_ERROR, "PRIORITY of a broken length")

    def _reset(self, _flags: int, number: int, payload: bytes) -> None:
        self._not_idle(number)
        if len(payload) != _CODE_BYTES:
            raise ConnectionFault(Code.FRAME_SIZE_ERROR, "RST_STREAM of a broken length")
        self._connection.patience.spend()
        stream = self._connection.streams.get(number)
        if stream is not None:
            stream.ended = True
            stream.drop()

    def _settings(self, flags: int, number: int, payload: bytes) -> None:
        if number:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "SETTINGS of a stream")
        values = frames.read_settings(payload)
        if flags & ACK:
            if payload:
                raise ConnectionFault(Code.FRAME_SIZE_ERROR, "an acknowledgement with settings")
            return
        self._connection.patience.spend()
        self._connection.adopt(values)

    def _push_promise(self, _flags: int, _number: int, _payload: bytes) -> None:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "a client pushes nothing")

    def _ping(self, flags: int, number: int, payload: bytes) -> None:
        if number:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "PING of a stream")
        if len(payload) != _PING_BYTES:
            raise ConnectionFault(Code.FRAME_SIZE_ERROR, "PING of a broken length")
        if flags & ACK:
            self._connection.ping_answered(payload)
            return
        self._connection.patience.spend()
        self._connection.write(frames.frame(Kind.PING, ACK, 0, payload))

    def _goaway(self, _flags: int, number: int, payload: bytes) -> None:
        self._connection.patience.spend()
        if len(payload) < _GOAWAY_BYTES:
            raise ConnectionFault(Code.FRAME_SIZE_ERROR, "GOAWAY of a broken length")
        if number:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "GOAWAY of a stream")

    def _window_update(self, _flags: int, number: int, payload: bytes) -> None:
        increment = frames.read_increment(payload)
        self._connection.patience.spend()
        if number and number not in self._connection.streams:
            self._not_idle(number)
            return
        if not increment:
            if number:
                raise StreamFault(Code.PROTOCOL_ERROR, "a window update of nothing")
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a window update of nothing")
        self._connection.widen(number, increment)


# By frame type.
_HANDLERS: Final = (
    Receiver._data,  # noqa: SLF001 - its own
    Receiver._headers,  # noqa: SLF001
    Receiver._priority,  # noqa: SLF001
    Receiver._reset,  # noqa: SLF001
    Receiver._settings,  # noqa: SLF001
    Receiver._push_promise,  # noqa: SLF001
    Receiver._ping,  # noqa: SLF001
    Receiver._goaway,  # noqa: SLF001
    Receiver._window_update,  # noqa: SLF001
    Receiver._continuation,  # noqa: SLF001
)
