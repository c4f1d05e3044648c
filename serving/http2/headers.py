"""Header blocks: HPACK by the hpack library, remembered where the same bytes mean the same headers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hpack import Decoder
from hpack.exceptions import HPACKError, OversizedHeaderListError
from hpack.table import HeaderTable

from serving.http2.frames import Code, ConnectionFault, StreamFault

# Blocks of one connection whose meaning is remembered; a client sends one or two.
_REMEMBERED: Final = 64
_LARGEST_REMEMBERED_BYTES: Final = 512

# A list up to so many times the limit is read and costs its own call alone, since a proxy carries many
# callers on one connection; a larger one ends the connection.
READ_TIMES: Final = 4
# RFC 9113, 6.5.2: what a header counts for beside its name and value.
_HEADER_BYTES: Final = 32

# RFC 7541, 6.3: the first three bits of a block that begins by resizing the table.
_TABLE_SIZE_UPDATE: Final = 0x20

# gRPC over HTTP/2: Timeout -> 1 to 8 digits and a unit.
_TIMEOUT: Final = re.compile(r"([0-9]{1,8})([HMSmun])")
_SECONDS: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_CONNECTION_HEADERS: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
)
_PSEUDO_HEADERS: Final = frozenset({":method", ":scheme", ":path", ":authority"})
# What RFC 9113, 8.2.1, forbids: whoever writes such headers into a log or into HTTP/1 is led astray.
_NAME: Final = re.compile(r"[!-9;-@\[-~]+")
_FORBIDDEN_IN_VALUES: Final = re.compile(r"[\0\r\n]")


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What a request says before its message."""

    path: str
    content_type: str
    timeout: str | None
    encoding: str
    metadata: tuple[tuple[str, str], ...]

    def timeout_s(self) -> float | None:
        """Seconds the caller waits; None where it did not say.

        Raises:
            ValueError: not a gRPC timeout.
        """
        if self.timeout is None:
            return None
        match = _TIMEOUT.fullmatch(self.timeout)
        if match is None:
            raise ValueError(f"grpc-timeout: expected up to 8 digits and a unit, got {self.timeout[:20]!r}")
        return int(match[1]) * _SECONDS[match[2]]


class _CountedTable(HeaderTable):
    """A dynamic table that counts its changes."""

    changes = 0

    def add(self, name: bytes, value: bytes) -> None:
        self.changes += 1
        super().add(name, value)


class HeaderReader:
    """Decodes the header blocks of one connection, in their order."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._decoder = Decoder(max_header_list_size=READ_TIMES * max_bytes)
        self._table = self._decoder.header_table = _CountedTable()
        self._seen: dict[bytes, RequestHead] = {}

    def read(self, block: bytes) -> RequestHead:
        """The request that a block describes.

        Raises:
            ConnectionFault: the block breaks HPACK, or is much larger than allowed; the table is lost.
            StreamFault: the headers are no HTTP/2 request, or larger than allowed.
        """
        known = self._seen.get(block)
        if known is not None:
            return known
        changes = self._table.changes
        headers = self._decode(block)
        if sum(len(name) + len(value) + _HEADER_BYTES for name, value in headers) > self._max_bytes:
            raise StreamFault(Code.ENHANCE_YOUR_CALM, "the header list is too large")
        head = request_head(headers)
        if self._table.changes == changes and not _resizes(block):
            self._remember(block, head)
        return head

    def skip(self, block: bytes) -> None:
        """Decode a block for its effect on the table alone.

        Raises:
            ConnectionFault: as `read`.
        """
        self._decode(block)

    def _remember(self, block: bytes, head: RequestHead) -> None:
        if len(block) <= _LARGEST_REMEMBERED_BYTES:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[block] = head

    def _decode(self, block: bytes) -> list[tuple[str, str]]:
        changes = self._table.changes
        try:
            return list(self._decoder.decode(block))  # type: ignore[arg-type]
        except OversizedHeaderListError:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "the header list is too large") from None
        except HPACKError:
            raise ConnectionFault(Code.COMPRESSION_ERROR, "the header block is broken") from None
        finally:
            if self._table.changes != changes or _resizes(block):
                # Indices have moved: remembered blocks may mean something else now.
                self._seen.clear()


def request_head(headers: Iterable[tuple[str, str]]) -> RequestHead:
    """Check a list of headers as RFC 9113, section 8.3, asks.

    Raises:
        StreamFault: pseudo-headers missing, repeated, unknown or late; names in upper case or that are
            none; line breaks in values; headers of HTTP/1 connections.
    """
    pseudo: dict[str, str] = {}
    metadata: list[tuple[str, str]] = []
    for name, value in headers:
        if _FORBIDDEN_IN_VALUES.search(value):
            raise StreamFault(Code.PROTOCOL_ERROR, "a header with a line break")
        if name.startswith(":"):
            if metadata or name in pseudo or name not in _PSEUDO_HEADERS:
                raise StreamFault(Code.PROTOCOL_ERROR, "a pseudo-header out of place")
            pseudo[name] = value
            continue
        if not _NAME.fullmatch(name) or name in _CONNECTION_HEADERS or (name == "te" and value != "trailers"):
            raise StreamFault(Code.PROTOCOL_ERROR, "a header that HTTP/2 does not allow")
        metadata.append((name, value))
    if pseudo.get(":method") != "POST" or not pseudo.get(":path") or ":scheme" not in pseudo:
        raise StreamFault(Code.PROTOCOL_ERROR, "no POST request")
    given = dict(metadata)
    return RequestHead(
        pseudo[":path"],
        given.get("content-type", ""),
        given.get("grpc-timeout"),
        given.get("grpc-encoding", "identity"),
        tuple(metadata),
    )


def header_block(headers: Iterable[tuple[str, str]]) -> bytes:
    r"""A block of literals without indexing (RFC 7541, 6.2.2): it leaves the peer's table alone.

    >>> header_block([("grpc-status", "0")])
    b'\x00\x0bgrpc-status\x010'

    Raises:
        ValueError: a name of more than 126 bytes.
    """
    parts = []
    for name, value in headers:
        raw_name, raw_value = name.encode(), value.encode()
        parts += [b"\0", _length(len(raw_name)), raw_name, _length(len(raw_value)), raw_value]
    return b"".join(parts)


def _resizes(block: bytes) -> bool:
    return bool(block) and block[0] & 0xE0 == _TABLE_SIZE_UPDATE


def _length(length: int) -> bytes:
    # RFC 7541, 5.1, with a prefix of seven bits.
    if length < 127:
        return bytes((length,))
    coded, rest = bytearray((127,)), length - 127
    while rest >= 128:
        coded.append(rest & 127 | 128)
        rest >>= 7
    coded.append(rest)
    return bytes(coded)
