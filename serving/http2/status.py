"""How a gRPC call ends: status codes and trailers."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import grpc

from serving.http2.headers import header_block

OK: Final = 0
CANCELLED: Final = 1
INVALID_ARGUMENT: Final = 3
DEADLINE_EXCEEDED: Final = 4
RESOURCE_EXHAUSTED: Final = 8
UNIMPLEMENTED: Final = 12
INTERNAL: Final = 13
UNAVAILABLE: Final = 14

# What a trailer may hold of a message; longer ones are cut, since peers bound their headers too.
_LONGEST_MESSAGE: Final = 2_048


def code_of(name: str) -> int:
    """The number of a status by its name.

    >>> code_of("RESOURCE_EXHAUSTED")
    8
    """
    number: int = grpc.StatusCode[name].value[0]
    return number


@lru_cache(maxsize=256)
def trailers(status: int, message: str = "", metadata: tuple[tuple[str, str], ...] = ()) -> bytes:
    """The header block that ends a call; remembered, since an overload says the same to thousands."""
    headers = [("grpc-status", str(status))]
    if message:
        headers.append(("grpc-message", percent_encoded(message[:_LONGEST_MESSAGE])))
    return header_block([*headers, *metadata])


def percent_encoded(message: str) -> str:
    """Printable ASCII but "%", the rest as UTF-8 in hexadecimal (gRPC over HTTP/2, Percent-Encoded).

    >>> percent_encoded("100 % sübtle")
    '100 %25 s%C3%BCbtle'
    """
    raw = message.encode("utf-8", "replace")
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x25 else f"%{byte:02X}" for byte in raw)
