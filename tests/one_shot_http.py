"""One HTTP/1.1 request on a connection of its own, which no reload or restart can close between two."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

HOST = "127.0.0.1"


async def post(
    port: int, path: str, body: bytes, headers: Mapping[str, str] | None = None
) -> tuple[str, bytes]:
    """Status and body of the answer.

    Raises:
        ConnectionRefusedError: nobody listens.
        OSError, EOFError: the connection ended before the answer did.
    """
    told = {"Host": HOST, "Connection": "close", "Content-Length": str(len(body))} | dict(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        answered = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = content_length(answered)
        content = await (reader.read() if length is None else reader.readexactly(length))
    finally:
        writer.close()
    return answered.split(" ", 2)[1], content


def content_length(head: str) -> int | None:
    r"""What the head of an answer says of its body.

    >>> content_length("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n"), content_length("HTTP/1.1 200 OK\r\n")
    (7, None)
    """
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return None
