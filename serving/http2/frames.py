"""HTTP/2 frames as bytes: RFC 9113, sections 4, 6 and 7."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES: Final = 9
HEAD: Final = struct.Struct(">HBBBL")
STREAM_BITS: Final = 0x7FFFFFFF
DEFAULT_WINDOW: Final = 65_535
DEFAULT_FRAME_BYTES: Final = 16_384
LARGEST_FRAME_BYTES: Final = (1 << 24) - 1
LARGEST_WINDOW: Final = (1 << 31) - 1

_PAIR: Final = struct.Struct(">HL")
_LONG: Final = struct.Struct(">L")


class Kind(IntEnum):
    """Frame types."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Setting(IntEnum):
    """Identifiers in SETTINGS."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class Code(IntEnum):
    """Error codes of RST_STREAM and GOAWAY."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


# Flags; ACK shares its bit with END_STREAM.
END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY: Final = 0x20


class ConnectionFault(Exception):
    """The peer broke the protocol: the connection ends with GOAWAY."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class StreamFault(Exception):
    """The peer broke the protocol within one stream: it ends with RST_STREAM."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def frame(kind: Kind, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame.

    >>> frame(Kind.PING, ACK, 0, b"12345678").hex()
    '0000080601000000003132333435363738'
    """
    size = len(payload)
    return HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream) + payload


def settings(values: Iterable[tuple[Setting, int]]) -> bytes:
    """A SETTINGS frame."""
    return frame(Kind.SETTINGS, 0, 0, b"".join(_PAIR.pack(name, value) for name, value in values))


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """Identifiers and values of a SETTINGS frame, unknown ones included.

    Raises:
        ConnectionFault: a length that is no multiple of six.
    """
    if len(payload) % _PAIR.size:
        raise ConnectionFault(Code.FRAME_SIZE_ERROR, "SETTINGS of a broken length")
    return list(_PAIR.iter_unpack(payload))


def goaway(last_stream: int, code: Code, reason: str = "") -> bytes:
    """A GOAWAY frame: streams after `last_stream` were not looked at."""
    return frame(Kind.GOAWAY, 0, 0, _LONG.pack(last_stream) + _LONG.pack(code) + reason.encode()[:128])


def reset(stream: int, code: Code) -> bytes:
    """An RST_STREAM frame."""
    return frame(Kind.RST_STREAM, 0, stream, _LONG.pack(code))


def window_update(stream: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame; stream 0 is the connection."""
    return frame(Kind.WINDOW_UPDATE, 0, stream, _LONG.pack(increment))


def read_increment(payload: bytes) -> int:
    """The increment of a WINDOW_UPDATE.

    Raises:
        ConnectionFault: not four bytes.
    """
    if len(payload) != _LONG.size:
        raise ConnectionFault(Code.FRAME_SIZE_ERROR, "WINDOW_UPDATE of a broken length")
    increment: int = _LONG.unpack(payload)[0] & STREAM_BITS
    return increment


def unpadded(flags: int, payload: bytes) -> bytes:
    """A payload without its padding.

    Raises:
        ConnectionFault: more padding than payload.
    """
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ConnectionFault(Code.PROTOCOL_ERROR, "more padding than payload")
    return payload[1 : len(payload) - payload[0]]
