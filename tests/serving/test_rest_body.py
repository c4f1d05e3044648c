from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import CallerGone, InvalidTensors, RequestTooLarge
from serving.rest_body import read_body, unpack


class Connection:
    """An ASGI receive that hands out these chunks, then says that the caller left."""

    def __init__(self, chunks: Iterator[bytes], *, complete: bool = True) -> None:
        self._messages = list(chunks)
        self._complete = complete
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        """The next message."""
        if self.taken == len(self._messages):
            return {"type": "http.disconnect"}
        self.taken += 1
        more = self.taken < len(self._messages) or not self._complete
        return {"type": "http.request", "body": self._messages[self.taken - 1], "more_body": more}


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
async def test_chunks_are_joined(chunks: list[bytes]) -> None:
    """A body arrives as it was sent, however it was cut."""
    assert await read_body(Connection(iter(chunks)), None, 100) == b"".join(chunks)


async def test_reading_stops_at_the_limit() -> None:
    """A body over the limit is refused at the chunk that passes it; the rest is not taken."""
    connection = Connection(iter([b"x" * 10] * 100))
    with pytest.raises(RequestTooLarge, match="limit of 25 bytes"):
        await read_body(connection, None, 25)
    assert connection.taken == 3


async def test_declared_length_is_refused_unread() -> None:
    """A body that announces itself as too large is not read at all."""
    connection = Connection(iter([b"x"]))
    with pytest.raises(RequestTooLarge):
        await read_body(connection, "26", 25)
    assert connection.taken == 0


async def test_caller_that_leaves_in_the_middle_is_noticed() -> None:
    """Half a body is not a request."""
    with pytest.raises(CallerGone):
        await read_body(Connection(iter([b"x"]), complete=False), None, 25)


@given(st.binary(max_size=200))
def test_encodings_are_undone(body: bytes) -> None:
    """Gzip and deflate give the body back."""
    assert unpack(gzip.compress(body, mtime=0), "gzip", 200) == body
    assert unpack(zlib.compress(body), "deflate", 200) == body


def test_bombs_are_not_unpacked() -> None:
    """A small body that unpacks to a large one is refused at the limit."""
    with pytest.raises(RequestTooLarge):
        unpack(gzip.compress(bytes(1 << 26)), "gzip", 1 << 20)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", "gzip"),
        (gzip.compress(b"{}" * 50, mtime=0)[:-9], "gzip"),
        (gzip.compress(b"{}", mtime=0) + b"tail", "gzip"),
        (b"{}", "br"),
    ],
)
def test_broken_encodings_are_refused(body: bytes, encoding: str) -> None:
    """What is not in its encoding, or in one that is not supported, is the caller's mistake."""
    with pytest.raises(InvalidTensors):
        unpack(body, encoding, 1000)
