"""HTTP/2 frames as bytes (RFC 9113), and the header literals of HPACK that need no table (RFC 7541)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final, TypeAlias

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SMALLEST_MAX_FRAME: Final = 16_384
DEFAULT_WINDOW: Final = 65_535
LARGEST_WINDOW: Final = (1 << 31) - 1

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY: Final = 0x20

_HEAD: Final = struct.Struct(">HBBBI")
_HEAD_BYTES: Final = 9
_SETTING: Final = struct.Struct(">HI")
_UINT32: Final = struct.Struct(">I")

Frame: TypeAlias = tuple[int, int, int, bytes]
"""Kind, flags, stream and payload."""


class Kind(IntEnum):
    """Types of frames that a client may meet."""

    DATA = 0
    HEADERS = 1
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Setting(IntEnum):
    """Identifiers within a SETTINGS frame."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4


def frame_start(kind: int, flags: int, length: int) -> bytes:
    """A frame up to its stream number, so that frames for any stream can be made beforehand."""
    return _HEAD.pack(length >> 8, length & 255, kind, flags, 0)[:-4]


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A whole frame.

    >>> frame(Kind.PING, ACK, 0, bytes(8)).hex()
    '0000080601000000000000000000000000'
    """
    return frame_start(kind, flags, len(payload)) + _UINT32.pack(stream) + payload


def settings_frame(settings: Mapping[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(Kind.SETTINGS, 0, 0, b"".join(_SETTING.pack(*setting) for setting in settings.items()))


def window_update(stream: int, increment: int) -> bytes:
    """Leave to send so many more bytes; stream 0 is the connection."""
    return frame(Kind.WINDOW_UPDATE, 0, stream, _UINT32.pack(increment))


def read_settings(payload: bytes) -> dict[int, int]:
    """The settings of a SETTINGS frame; undoes `settings_frame`."""
    return dict(_SETTING.iter_unpack(payload))


def read_number(payload: bytes) -> int:
    """The increment of a WINDOW_UPDATE or the code of a RST_STREAM frame."""
    return int.from_bytes(payload[:4], "big") & LARGEST_WINDOW


def without_padding(flags: int, payload: bytes) -> bytes:
    """The content of a DATA or HEADERS frame, without padding and priority."""
    if flags & PADDED:
        payload = payload[1 : len(payload) - payload[0]]
    return payload[5:] if flags & PRIORITY else payload


def header_block(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    r"""Headers as literals without indexing: the same bytes on any connection at any time.

    >>> header_block([(b"te", b"trailers")])
    b'\x00\x02te\x08trailers'
    """
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in headers)


def _text(value: bytes) -> bytes:
    if len(value) < 127:
        return bytes((len(value),)) + value
    # RFC 7541, 5.1: what exceeds the prefix follows in groups of seven bits, lowest first.
    more, rest = bytearray(b"\x7f"), len(value) - 127
    while rest >= 128:
        more.append(rest & 127 | 128)
        rest >>= 7
    more.append(rest)
    return bytes(more) + value


class FrameReader:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> list[Frame]:
        """The frames that are whole now."""
        data = self._rest + received if self._rest else received
        frames: list[Frame] = []
        begin, size = 0, len(data)
        while size - begin >= _HEAD_BYTES:
            high, low, kind, flags, stream = _HEAD.unpack_from(data, begin)
            end = begin + _HEAD_BYTES + (high << 8 | low)
            if end > size:
                break
            frames.append((kind, flags, stream, data[begin + _HEAD_BYTES : end]))
            begin = end
        self._rest = data[begin:]
        return frames
