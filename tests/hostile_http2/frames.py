"""HTTP/2 frames built by hand (RFC 9113), so that every field of them can be wrong."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum, IntFlag
from typing import NamedTuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_SIZE = 9
LARGEST_WINDOW = 2**31 - 1
DEFAULT_WINDOW = 65_535
DEFAULT_FRAME_SIZE = 16_384


class Kind(IntEnum):
    """Frame types, RFC 9113 section 6."""

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


class Flag(IntFlag):
    """Frame flags; ACK of SETTINGS and PING shares a bit with END_STREAM."""

    NONE = 0
    END_STREAM = 1
    ACK = 1
    END_HEADERS = 4
    PADDED = 8
    PRIORITY = 32


class Setting(IntEnum):
    """Parameters of SETTINGS, RFC 9113 section 6.5.2."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class Code(IntEnum):
    """Error codes, RFC 9113 section 7."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class Frame(NamedTuple):
    """One frame as it was read."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int, stream: int, payload: bytes = b"", size: int | None = None) -> bytes:
    """The bytes of a frame, which may lie about the size of its payload."""
    told = len(payload) if size is None else size
    return struct.pack(">BHBBI", told >> 16, told & 0xFFFF, kind, flags, stream) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    """A SETTINGS frame with these parameters."""
    return frame(Kind.SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def headers(stream: int, block: bytes, *, end: bool = False) -> bytes:
    """A HEADERS frame with a whole header block, which may end its stream."""
    return frame(Kind.HEADERS, Flag.END_HEADERS | (Flag.END_STREAM if end else 0), stream, block)


def data(stream: int, payload: bytes, *, end: bool = False) -> bytes:
    """DATA frames of at most the default size; the last may end the stream."""
    parts = cut(payload, DEFAULT_FRAME_SIZE)
    last = frame(Kind.DATA, Flag.END_STREAM if end else 0, stream, parts.pop())
    return b"".join(frame(Kind.DATA, 0, stream, part) for part in parts) + last


def padded(content: bytes, padding: int) -> bytes:
    """The payload of a frame with the PADDED flag."""
    return bytes([padding]) + content + bytes(padding)


def window_update(stream: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame."""
    return frame(Kind.WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def reset(stream: int, code: int = Code.CANCEL) -> bytes:
    """An RST_STREAM frame."""
    return frame(Kind.RST_STREAM, 0, stream, struct.pack(">I", code))


def ping(payload: bytes = b"12345678", *, ack: bool = False) -> bytes:
    """A PING frame."""
    return frame(Kind.PING, Flag.ACK if ack else 0, 0, payload)


def cut(payload: bytes, *sizes: int) -> list[bytes]:
    """The payload in parts of these sizes, the last of which repeats; at least one part."""
    parts, rest, repeated = [], payload, sizes[-1]
    for size in sizes[:-1]:
        parts.append(rest[:size])
        rest = rest[size:]
    parts += [rest[first : first + repeated] for first in range(0, len(rest), repeated)]
    return parts or [b""]


def header_block_frames(stream: int, parts: Iterable[bytes], *, end: bool = False) -> bytes:
    """One header block as HEADERS and CONTINUATION frames; END_STREAM belongs to the first."""
    fragments = list(parts)
    last = len(fragments) - 1
    return b"".join(
        frame(
            Kind.CONTINUATION if place else Kind.HEADERS,
            (Flag.END_STREAM if end and not place else 0) | (Flag.END_HEADERS if place == last else 0),
            stream,
            fragment,
        )
        for place, fragment in enumerate(fragments)
    )
