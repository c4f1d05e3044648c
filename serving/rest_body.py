"""Read a REST request body up to a limit, and unpack it up to the same limit."""

from __future__ import annotations

import zlib
from typing import Final

from starlette.types import Receive

from contract.errors import CallerGone, InvalidTensors, RequestTooLarge
from serving.tensor_contract import echo

# zlib's window bits: 32 more than the largest window detects gzip and zlib by their headers.
_DETECT_FORMAT: Final = 32 + zlib.MAX_WBITS


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
    """The body without its Content-Encoding.

    >>> unpack(zlib.compress(b"{}"), "deflate", 1024)
    b'{}'

    Raises:
        InvalidTensors: an encoding that is not supported, or data that is not in it.
        RequestTooLarge: more than `limit` bytes once unpacked.
    """
    if encoding is None or encoding == "identity":
        return body
    if encoding not in {"gzip", "deflate"}:
        raise InvalidTensors(f"content-encoding: expected gzip, deflate or identity, got {echo(encoding)}")
    stream = zlib.decompressobj(_DETECT_FORMAT)
    try:
        # One byte more than allowed shows that there is more, without unpacking it.
        unpacked = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise InvalidTensors(f"the body is not valid {encoding}: {error}") from None
    if len(unpacked) > limit:
        raise _too_large(limit)
    if not stream.eof or stream.unused_data:
        raise InvalidTensors(f"the body is not valid {encoding}: it is cut off or has bytes after its end")
    return unpacked


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"the body is over the limit of {limit} bytes")
