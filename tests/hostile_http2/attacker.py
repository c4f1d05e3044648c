"""A raw HTTP/2 peer: it sends whatever it is told, and keeps a record of what comes back.

Of itself it only acknowledges SETTINGS and PING, as a server may end peers that do not. It never gives credit.
"""

from __future__ import annotations

import socket
import struct
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import hpack

from tests.hostile_http2 import frames
from tests.hostile_http2.frames import DEFAULT_WINDOW, HEAD_SIZE, PREFACE, Flag, Frame, Kind, Setting
from tests.serving.server_process import HOST

PATIENCE_S = 10.0
Headers = list[tuple[str, str]]


@dataclass
class Answer:
    """What came back on one stream so far."""

    heads: list[Headers] = field(default_factory=list)
    data: bytes = b""
    largest_frame: int = 0
    ended: bool = False
    reset: int | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more may come."""
        return self.ended or self.reset is not None

    def value(self, name: str) -> str | None:
        """A header or trailer."""
        return next((value for head in self.heads for told, value in head if told == name), None)

    @property
    def http_status(self) -> str | None:
        """The status of HTTP."""
        return self.value(":status")

    @property
    def grpc_status(self) -> int | None:
        """The status of gRPC by its number, None where there is none."""
        status = self.value("grpc-status")
        return None if status is None else int(status)

    @property
    def message(self) -> bytes:
        """The one message of a unary answer."""
        flag, size = struct.unpack_from(">BI", self.data)
        assert (flag, size) == (0, len(self.data) - 5)
        return self.data[5:]


class Attacker:
    """One connection, and all that was read from it."""

    def __init__(self, port: int, *, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.answers: defaultdict[int, Answer] = defaultdict(Answer)
        self.seen: list[Frame] = []
        self.settings: dict[int, int] = {}
        self.settings_acks = 0
        self.pongs: list[bytes] = []
        self.farewells: list[tuple[int, int]] = []
        self.closed = False
        self.room = DEFAULT_WINDOW
        self._bytes = b""
        self._block = b""

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def greet(self, *own: tuple[int, int]) -> Attacker:
        """Send preface and SETTINGS, and wait until they are acknowledged."""
        self.send(PREFACE + frames.settings(*own))
        self.until(lambda: self.settings_acks > 0, "settings acknowledged")
        return self

    def send(self, *parts: bytes) -> bool:
        """Send everything, whatever comes back meanwhile; false when the server takes no more."""
        try:
            self.socket.sendall(b"".join(parts))
        except OSError:
            return False
        return True

    def flood(self, parts: Iterable[bytes], limit_s: float = 2.0) -> bool:
        """Send without reading, for so long; false when the server ended that, or did not take it all in time."""
        end_s = time.monotonic() + limit_s
        self.socket.settimeout(limit_s)
        sent = all(time.monotonic() < end_s and self.send(part) for part in parts)
        self.socket.settimeout(PATIENCE_S)
        return sent

    def until(self, so: Callable[[], bool], what: str, limit_s: float = PATIENCE_S) -> None:
        """Read until it is so; fails when it did not become so in time or before the end."""
        self.read(so, limit_s)
        latest = list(self.answers.items())[-3:]
        assert so(), f"not so: {what}; closed {self.closed}, {self.farewells}, {latest}"

    def read(self, so: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
        """Read until it is so, the connection has ended, or the time is over."""
        end_s = time.monotonic() + limit_s
        while not so() and not self.closed:
            self.socket.settimeout(max(0.01, end_s - time.monotonic()))
            self._take_some()
            if time.monotonic() > end_s:
                break
        self.socket.settimeout(PATIENCE_S)

    def _take_some(self) -> None:
        try:
            came = self.socket.recv(1 << 18)
        except TimeoutError:
            return
        except OSError:
            came = b""
        self.closed = not came
        self._bytes += came
        while (read := self._next_frame()) is not None:
            self.seen.append(read)
            self._note(read)

    def _next_frame(self) -> Frame | None:
        if len(self._bytes) < HEAD_SIZE:
            return None
        high, low, kind, flags, stream = struct.unpack_from(">BHBBI", self._bytes)
        end = HEAD_SIZE + (high << 16 | low)
        if len(self._bytes) < end:
            return None
        payload, self._bytes = self._bytes[HEAD_SIZE:end], self._bytes[end:]
        return Frame(kind, flags, stream, payload)

    def _note(self, read: Frame) -> None:
        match read.kind:
            case Kind.DATA:
                self._note_data(read)
            case Kind.HEADERS | Kind.CONTINUATION:
                self._note_headers(read)
            case Kind.RST_STREAM:
                self.answers[read.stream].reset = int.from_bytes(read.payload, "big")
            case Kind.GOAWAY:
                self.farewells.append(struct.unpack_from(">II", read.payload))
            case Kind.WINDOW_UPDATE if read.stream == 0:
                self.room += int.from_bytes(read.payload, "big")
            case Kind.SETTINGS | Kind.PING:
                self._note_connection(read)

    def _note_data(self, read: Frame) -> None:
        answer = self.answers[read.stream]
        answer.data += read.payload
        answer.largest_frame = max(answer.largest_frame, len(read.payload))
        answer.ended |= bool(read.flags & Flag.END_STREAM)

    def _note_headers(self, read: Frame) -> None:
        answer = self.answers[read.stream]
        self._block += read.payload
        if read.flags & Flag.END_HEADERS:
            decoded = self.decoder.decode(self._block)
            answer.heads.append([(str(name), str(value)) for name, value in decoded])
            self._block = b""
        if read.kind == Kind.HEADERS:
            answer.ended |= bool(read.flags & Flag.END_STREAM)

    def _note_connection(self, read: Frame) -> None:
        if read.kind == Kind.PING and read.flags & Flag.ACK:
            self.pongs.append(read.payload)
        elif read.kind == Kind.PING:
            self.send(frames.ping(read.payload, ack=True))
        elif read.flags & Flag.ACK:
            self.settings_acks += 1
        else:
            self.settings |= dict(struct.iter_unpack(">HI", read.payload))
            self.send(frames.frame(Kind.SETTINGS, Flag.ACK, 0))

    def ask(self, stream: int, body: bytes, head: Headers) -> None:
        """Send a whole request."""
        self.send(frames.headers(stream, self.encoder.encode(head)), frames.data(stream, body, end=True))

    def answer(self, stream: int, limit_s: float = PATIENCE_S) -> Answer:
        """What came on a stream once nothing more may come."""
        self.until(lambda: self.answers[stream].over, f"stream {stream} over", limit_s)
        return self.answers[stream]

    def barrier(self) -> None:
        """Wait until the server has taken all that was sent before."""
        mark = struct.pack(">Q", 0xBA221E2 + len(self.pongs))
        self.send(frames.ping(mark))
        self.until(lambda: mark in self.pongs, "ping answered")

    def ended(self, limit_s: float = PATIENCE_S) -> bool:
        """Whether the server ends the connection in time, by GOAWAY or by closing it."""
        self.read(lambda: bool(self.farewells), limit_s)
        return self.closed or bool(self.farewells)

    def refused(self, stream: int, limit_s: float = PATIENCE_S) -> bool:
        """Whether a stream is refused in time: by a reset, an error for an answer, or with its connection."""
        answer = self.answers[stream]
        self.read(lambda: answer.over or bool(self.farewells), limit_s)
        if answer.reset or self.closed or self.farewells:
            return True
        return answer.over and (answer.http_status != "200" or answer.grpc_status != 0)

    @property
    def window(self) -> int:
        """The window that the server gives each stream."""
        return self.settings.get(Setting.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW)
