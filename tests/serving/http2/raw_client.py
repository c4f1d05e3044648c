"""A bare HTTP/2 client for tests: any frame, legal or not, over a real socket."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from hpack import Decoder, Encoder

from serving.http2.frames import END_HEADERS, END_STREAM, PREFACE, Kind
from tests.serving.server_process import HOST

INFER = "/inference.GRPCInferenceService/ModelInfer"
LIVE = "/inference.GRPCInferenceService/ServerLive"
REQUEST = (
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "test"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame of any kind, also of those that do not exist."""
    return struct.pack(">HBBBL", len(payload) >> 8, len(payload) & 255, kind, flags, stream) + payload


def settings_frame(values: Sequence[tuple[int, int]]) -> bytes:
    """SETTINGS, also impossible ones."""
    return frame(Kind.SETTINGS, 0, 0, b"".join(struct.pack(">HL", *pair) for pair in values))


@dataclass(frozen=True)
class Frame:
    """One frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes


@dataclass
class Answer:
    """What came on one stream until its end."""

    headers: dict[str, str] = field(default_factory=dict)
    message: bytes = b""
    reset: int | None = None

    @property
    def status(self) -> int:
        """The gRPC status."""
        return int(self.headers["grpc-status"])


class RawClient:
    """One connection."""

    def __init__(self, port: int, *, preface: bool = True, own: tuple[tuple[int, int], ...] = ()) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=10)
        self.encoder = Encoder()
        self.decoder = Decoder()
        self._buffer = b""
        if preface:
            self.send(PREFACE + settings_frame(own))

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has closed is no failure of the test."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def block(self, path: str = LIVE, *more: tuple[str, str]) -> bytes:
        """The header block of a request."""
        return self.encoder.encode([*REQUEST[:3], (":path", path), *REQUEST[3:], *more])

    def request(self, stream: int, path: str = LIVE, message: bytes = b"", *more: tuple[str, str]) -> None:
        """Send a whole request."""
        head = frame(Kind.HEADERS, END_HEADERS, stream, self.block(path, *more))
        self.send(head + frame(Kind.DATA, END_STREAM, stream, prefixed(message)))

    def send_in_parts(self, stream: int, path: str, message: bytes) -> None:
        """Send a request whose message is larger than a frame."""
        self.send(frame(Kind.HEADERS, END_HEADERS, stream, self.block(path)))
        body = prefixed(message)
        for first in range(0, len(body), 16_384):
            self.send(frame(Kind.DATA, 0, stream, body[first : first + 16_384]))
        self.send(frame(Kind.DATA, END_STREAM, stream))

    def frames(self, limit_s: float = 5.0) -> Iterator[Frame]:
        """Frames as they come, until the server closes or the time is over."""
        end_s = time.monotonic() + limit_s
        while True:
            while (one := self._cut()) is not None:
                yield one
            self.socket.settimeout(max(0.01, end_s - time.monotonic()))
            try:
                data = self.socket.recv(1 << 16)
            except (TimeoutError, ConnectionResetError):
                return
            if not data:
                return
            self._buffer += data

    def _cut(self) -> Frame | None:
        if len(self._buffer) < 9:
            return None
        high, low, kind, flags, stream = struct.unpack_from(">HBBBL", self._buffer)
        end = 9 + (high << 8 | low)
        if len(self._buffer) < end:
            return None
        one = Frame(kind, flags, stream, self._buffer[9:end])
        self._buffer = self._buffer[end:]
        return one

    def answer(self, stream: int, limit_s: float = 5.0) -> Answer:
        """What comes on one stream, up to its end."""
        answer = Answer()
        for one in self.frames(limit_s):
            if one.kind == Kind.HEADERS:
                headers = dict(self.decoder.decode(one.payload))
                if one.stream == stream:
                    answer.headers |= headers
            elif one.stream == stream and one.kind == Kind.DATA:
                answer.message += one.payload
            elif one.stream == stream and one.kind == Kind.RST_STREAM:
                answer.reset = struct.unpack(">L", one.payload)[0]
                return answer
            if one.stream == stream and one.flags & END_STREAM and one.kind in {Kind.HEADERS, Kind.DATA}:
                return answer
        raise AssertionError(f"no end of stream {stream}, so far {answer}")

    def goodbye(self, limit_s: float = 10.0) -> int | None:
        """The code of the GOAWAY that ends the connection; None if it ends without, or does not end."""
        code = None
        for one in self.frames(limit_s):
            if one.kind == Kind.GOAWAY:
                code = struct.unpack_from(">L", one.payload, 4)[0]
        return code

    def close(self) -> None:
        """Go."""
        self.socket.close()


def prefixed(message: bytes) -> bytes:
    """A gRPC message with its prefix."""
    return struct.pack(">BL", 0, len(message)) + message


@contextmanager
def connected(
    port: int, *, preface: bool = True, own: tuple[tuple[int, int], ...] = ()
) -> Iterator[RawClient]:
    """A connection that is closed in the end."""
    client = RawClient(port, preface=preface, own=own)
    try:
        yield client
    finally:
        client.close()
