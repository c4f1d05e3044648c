"""Frame Streams, the framing under dnstap (github.com/farsightsec/fstrm, fstrm/control.h); pure, no network.

A frame is its length in four octets and its content. Length 0 escapes a control frame, whose length follows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

CONTENT_TYPE: Final = b"protobuf:dnstap.Dnstap"
ACCEPT, START, STOP, READY, FINISH = 1, 2, 3, 4, 5
# A DNS message has at most 64 KiB, and what dnstap adds is small.
MAX_FRAME: Final = 128 << 10
_MAX_CONTROL: Final = 512
_U32: Final = struct.Struct("!I")
_FIELD_CONTENT_TYPE: Final = 1


class BrokenStream(Exception):
    """The peer does not speak Frame Streams with dnstap in it; the message says what came."""


def control(kind: int, content_type: bytes | None = None) -> bytes:
    """A control frame."""
    body = _U32.pack(kind)
    if content_type is not None:
        body += _U32.pack(_FIELD_CONTENT_TYPE) + _U32.pack(len(content_type)) + content_type
    return _U32.pack(0) + _U32.pack(len(body)) + body


def frame(payload: bytes) -> bytes:
    """A data frame."""
    return _U32.pack(len(payload)) + payload


@dataclass(slots=True)
class Receiver:
    """The receiving end: octets in, payloads out; what to answer gathers in `replies`."""

    replies: bytearray = field(default_factory=bytearray)
    finished: bool = False
    _greeted: bool = False
    _started: bool = False
    _rest: bytes = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads that are whole with these octets.

        Raises:
            BrokenStream: too long a frame, another content type, or frames in the wrong order.
        """
        data = self._rest + data if self._rest else data
        place, end = 0, len(data)
        unpack = _U32.unpack_from
        try:
            while end - place >= 4:
                (length,) = unpack(data, place)
                if length == 0:
                    size = self._control(data, place + 4)
                    if size == 0:
                        break
                    place += 4 + size
                    continue
                if length > MAX_FRAME:
                    raise BrokenStream(f"a frame of {length} octets, expected at most {MAX_FRAME}")
                if not self._started or self.finished:
                    raise BrokenStream("data after STOP" if self.finished else "data before START")
                if end - place - 4 < length:
                    break
                yield data[place + 4 : place + 4 + length]
                place += 4 + length
        finally:
            self._rest = data[place:]

    def _control(self, data: bytes, place: int) -> int:
        """Follow a control frame; its size with its length, 0 where it is not whole yet."""
        if len(data) - place < 4:
            return 0
        (length,) = _U32.unpack_from(data, place)
        if not 4 <= length <= _MAX_CONTROL:
            raise BrokenStream(f"a control frame of {length} octets")
        if len(data) - place - 4 < length:
            return 0
        body = data[place + 4 : place + 4 + length]
        self._follow(_U32.unpack_from(body)[0], body[4:])
        return 4 + length

    def _follow(self, kind: int, fields: bytes) -> None:
        if self.finished:
            raise BrokenStream("a frame after STOP")
        if kind in (READY, START):
            # Each READY is answered: a sender that says it for ever and reads nothing would fill our memory.
            if self._started or (kind == READY and self._greeted):
                raise BrokenStream(f"{'READY' if kind == READY else 'START'} again")
            types = _content_types(fields)
            # No content type means any.
            if types and CONTENT_TYPE not in types:
                raise BrokenStream(f"content type {types[0][:64]!r}, expected {CONTENT_TYPE.decode()}")
        if kind == READY:
            self._greeted = True
            self.replies += control(ACCEPT, CONTENT_TYPE)
        elif kind == START:
            self._started = True
        elif kind == STOP:
            self.finished = True
            self.replies += control(FINISH)
        else:
            raise BrokenStream(f"control frame {kind} from a sender")


def _content_types(fields: bytes) -> list[bytes]:
    types = []
    place = 0
    while place < len(fields):
        if len(fields) - place < 8:
            raise BrokenStream("a field of a control frame is cut short")
        kind, length = struct.unpack_from("!II", fields, place)
        value = fields[place + 8 : place + 8 + length]
        if kind != _FIELD_CONTENT_TYPE or len(value) != length:
            raise BrokenStream("a field of a control frame that is not known")
        types.append(value)
        place += 8 + length
    return types
