"""One HTTP/2 connection of a gRPC client, without input or output: bytes in, bytes out, answers told."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from hpack import Decoder

from load_tests.generator.answers import LOST, OK
from load_tests.generator.frames import (
    ACK,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    LARGEST_WINDOW,
    PREFACE,
    Frame,
    FrameReader,
    Kind,
    Setting,
    frame,
    read_number,
    read_settings,
    settings_frame,
    window_update,
    without_padding,
)
from load_tests.generator.grpc_request import GrpcRequest, flaw_of

_STREAMS_UNTIL_TOLD: Final = 100
_NOTE_READING_EVERY: Final = 1 << 29

Told: TypeAlias = Callable[[float, str], None]
"""Called with the intended time of sending, and `OK` or what went wrong."""


class _Call:
    """One request under way; `unsent` and `window` matter only while flow control holds it back."""

    __slots__ = ("answer", "block", "intended_s", "last", "request", "status", "unsent", "window")

    def __init__(self, request: GrpcRequest, intended_s: float, window: int) -> None:
        self.request = request
        self.intended_s = intended_s
        self.window = window
        self.unsent = memoryview(b"")
        self.answer = b""
        self.block = b""
        self.last = False
        self.status = "no grpc-status"


@functools.lru_cache(4096)
def status_in(block: bytes) -> str | None:
    """The outcome that a header block tells of; None where it tells of none.

    Only the bytes decide: the peer was told to keep no table, so equal blocks have equal meanings.
    """
    decoder = Decoder()
    decoder.header_table_size = 0
    headers = {str(name): str(value) for name, value in decoder.decode(block)}
    status = headers.get("grpc-status")
    if status is None:
        return None if headers.get(":status", "200") == "200" else f"HTTP status {headers[':status']}"
    return OK if status == "0" else f"grpc-status {status}: {headers.get('grpc-message', '')}"


class H2Session:
    """Sends gRPC requests within the peer's limits and tells how each ended."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._reader = FrameReader()
        self._calls: dict[int, _Call] = {}
        self._held: list[int] = []
        self._waiting: deque[tuple[GrpcRequest, float]] = deque()
        self._next_stream = 1
        self._window = DEFAULT_WINDOW
        self._stream_window = DEFAULT_WINDOW
        self._max_streams = _STREAMS_UNTIL_TOLD
        self._unnoted = 0
        self.usable = False
        self.going_away = False
        own: dict[int, int] = {
            Setting.HEADER_TABLE_SIZE: 0,
            Setting.ENABLE_PUSH: 0,
            Setting.INITIAL_WINDOW_SIZE: LARGEST_WINDOW,
        }
        self._out = [PREFACE, settings_frame(own), window_update(0, LARGEST_WINDOW - DEFAULT_WINDOW)]

    def outgoing(self) -> bytes:
        """What is to be written now."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    def send(self, request: GrpcRequest, intended_s: float) -> None:
        """Take a request; it waits while the peer allows no more streams or bytes."""
        if len(self._calls) >= self._max_streams:
            self._waiting.append((request, intended_s))
            return
        stream, size = self._next_stream, len(request.body)
        self._next_stream += 2
        call = self._calls[stream] = _Call(request, intended_s, self._stream_window)
        if not self._held and size <= self._window and size <= self._stream_window:
            self._window -= size
            self._out.append(stream.to_bytes(4, "big").join(request.pieces))
            return
        self._out.append(frame(Kind.HEADERS, END_HEADERS, stream, request.block))
        call.unsent = memoryview(request.body)
        self._held.append(stream)
        self._send_held()

    def receive(self, data: bytes) -> None:
        """Act on what the peer sent."""
        for received in self._reader.feed(data):
            kind, flags, stream, payload = received
            if kind in {Kind.DATA, Kind.HEADERS, Kind.CONTINUATION, Kind.RST_STREAM} and stream:
                self._receive_on_stream(received)
            elif kind == Kind.WINDOW_UPDATE:
                self._widen(stream, read_number(payload))
            elif kind == Kind.PING and not flags & ACK:
                self._out.append(frame(Kind.PING, ACK, 0, payload))
            elif kind == Kind.SETTINGS and not flags & ACK:
                self._obey(read_settings(payload))
            elif kind == Kind.GOAWAY:
                self.going_away = True

    def lose(self) -> None:
        """The connection is gone: nothing under way will be answered."""
        lost = [call.intended_s for call in self._calls.values()]
        lost += [intended_s for _, intended_s in self._waiting]
        self._calls.clear()
        self._waiting.clear()
        for intended_s in lost:
            self._told(intended_s, LOST)

    def _receive_on_stream(self, received: Frame) -> None:
        kind, flags, stream, payload = received
        if kind == Kind.DATA:
            self._note_reading(len(payload))
        call = self._calls.get(stream)
        if call is None:
            return
        if kind == Kind.RST_STREAM:
            self._end(stream, call, f"stream reset: {read_number(payload)}")
            return
        # A CONTINUATION has no such flag; the HEADERS that it continues had.
        call.last = call.last or (kind != Kind.CONTINUATION and bool(flags & END_STREAM))
        if kind == Kind.DATA:
            call.answer += without_padding(flags, payload)
        else:
            call.block += without_padding(flags, payload) if kind == Kind.HEADERS else payload
            if not flags & END_HEADERS:
                return
            self._understand(call)
        if call.last:
            self._end(stream, call, call.status or flaw_of(call.request, call.answer))

    def _understand(self, call: _Call) -> None:
        status = status_in(call.block)
        call.block = b""
        if status is not None:
            call.status = status

    def _end(self, stream: int, call: _Call, ended: str) -> None:
        if self._calls.pop(stream, None) is None:
            return
        if call.unsent:
            self._held.remove(stream)
        if self._waiting:
            self.send(*self._waiting.popleft())
        self._told(call.intended_s, ended)

    def _note_reading(self, size: int) -> None:
        self._unnoted += size
        if self._unnoted >= _NOTE_READING_EVERY:
            self._out.append(window_update(0, self._unnoted))
            self._unnoted = 0

    def _widen(self, stream: int, increment: int) -> None:
        if not stream:
            self._window += increment
        elif stream in self._calls:
            self._calls[stream].window += increment
        if self._held:
            self._send_held()

    def _obey(self, settings: dict[int, int]) -> None:
        wider = settings.get(Setting.INITIAL_WINDOW_SIZE, self._stream_window) - self._stream_window
        self._stream_window += wider
        for stream in self._held:
            self._calls[stream].window += wider
        # Whoever names no limit has none.
        unlimited = self._max_streams if self.usable else LARGEST_WINDOW
        self._max_streams = settings.get(Setting.MAX_CONCURRENT_STREAMS, unlimited)
        self.usable = True
        self._out.append(frame(Kind.SETTINGS, ACK, 0, b""))
        self._send_held()

    def _send_held(self) -> None:
        for stream in self._held:
            self._send_piece(stream, self._calls[stream])
        self._held = [stream for stream in self._held if self._calls[stream].unsent]

    def _send_piece(self, stream: int, call: _Call) -> None:
        while call.unsent and (size := min(self._window, call.window, len(call.unsent), 16_384)) > 0:
            piece, call.unsent = call.unsent[:size], call.unsent[size:]
            self._window -= size
            call.window -= size
            last = 0 if call.unsent else END_STREAM
            self._out.append(frame(Kind.DATA, last, stream, bytes(piece)))
