"""Read a REST request body up to a limit, and unpack it up to the same limit."""

from __future__ import annotations

import zlib
from typing import Final

from starlette.types import Receive

from contract.errors import CallerGone, InvalidTensors, RequestTooLarge
from serving.tensor_contract import echo

# zlib's window bits: 32 more than the largest window detects gzip and zlib by their headers, less than zero
# means neither header, which some clients send as deflate (RFC 9110, 8.4.1.2).
_DETECT_FORMAT: Final = 32 + zlib.MAX_WBITS
_WINDOW_BITS: Final = {"gzip": (_DETECT_FORMAT,), "deflate": (_DETECT_FORMAT, -zlib.MAX_WBITS)}

# A coding may cost as much as the limit again, a gzip member (RFC 1952, 2.2) a copy of what follows it.
_MOST_CODINGS: Final = 4
_MOST_MEMBERS: Final = 64
_GZIP_MAGIC: Final = b"\x1f\x8b"


async def read_body(receive: Receive, declared_length: str | None, limit: int) -> bytes:
    """The whole body; never holds more than `limit` bytes and one chunk of the connection.

    Raises:
        RequestTooLarge: more than `limit` bytes are declared or come.
        CallerGone: the caller disconnected in the middle.
    """
    if declared_length is not None and declared_length.isdecimal() and int(declared_length) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone("the caller disconnected")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def unpack(body: bytes, encoding: str | None, limit: int) -> bytes:
    """The body without its Content-Encoding (RFC 9110, 8.4), a list of codings as they were applied.

    >>> unpack(zlib.compress(b"{}"), "Deflate, identity", 1024)
    b'{}'

    Raises:
        InvalidTensors: a coding that is not supported, too many of them, or data that is not in them.
        RequestTooLarge: more than `limit` bytes once unpacked.
    """
    if not encoding:
        return body
    applied = _codings(encoding)
    if len(applied) > _MOST_CODINGS:
        raise InvalidTensors(
            f"content-encoding: expected at most {_MOST_CODINGS} codings, got {len(applied)}"
        )
    for coding in reversed(applied):
        body = _undone(body, coding, limit)
    return body


def _codings(encoding: str) -> list[str]:
    """The names that change anything; case means nothing, and a list may have empty places.

    >>> _codings("X-GZIP,, identity ,deflate")
    ['gzip', 'deflate']
    """
    names = [name.strip(" \t").lower() for name in encoding.split(",")]
    applied = ["gzip" if name == "x-gzip" else name for name in names if name not in {"", "identity"}]
    for name in applied:
        if name not in _WINDOW_BITS:
            raise InvalidTensors(f"content-encoding: expected gzip, deflate or identity, got {echo(name)}")
    return applied


def _undone(body: bytes, coding: str, limit: int) -> bytes:
    flaw: zlib.error | None = None
    for window_bits in _WINDOW_BITS[coding]:
        try:
            return _inflated(body, coding, window_bits, limit)
        except zlib.error as error:
            flaw = flaw or error
    raise InvalidTensors(f"the body is not valid {coding}: {flaw}")


def _inflated(body: bytes, coding: str, window_bits: int, limit: int) -> bytes:
    parts, size, rest = [], 0, body
    for _ in range(_MOST_MEMBERS):
        stream = zlib.decompressobj(window_bits)
        # One byte more than allowed shows that there is more, without unpacking it.
        parts.append(stream.decompress(rest, limit - size + 1))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
        rest = stream.unused_data
        if not stream.eof:
            raise InvalidTensors(f"the body is not valid {coding}: it is cut off")
        if coding != "gzip" or not rest.startswith(_GZIP_MAGIC):
            break
    if rest:
        raise InvalidTensors(f"the body is not valid {coding}: it has bytes after its end")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"the body is over the limit of {limit} bytes")
