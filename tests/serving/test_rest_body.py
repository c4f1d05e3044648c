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


@given(
    st.binary(max_size=200), st.lists(st.sampled_from(["gzip", "deflate", "raw", "identity", ""])), st.data()
)
def test_codings_are_a_list_of_names_in_any_case(
    body: bytes, applied: list[str], data: st.DataObject
) -> None:
    """RFC 9110, 8.4: codings are undone from the last; `x-gzip` is gzip, empty places mean nothing."""
    pack = {"gzip": gzip_member, "deflate": zlib.compress, "raw": raw_deflate}
    packed, header = body, []
    for coding in applied:
        packed = pack.get(coding, bytes)(packed)
        names = {"gzip": ["gzip", "x-gzip"], "raw": ["deflate"]}.get(coding, [coding])
        name = data.draw(st.sampled_from(names))
        case = data.draw(st.sampled_from([str.lower, str.upper, str.title]))
        header.append(data.draw(st.sampled_from(["", " ", "\t "])) + case(name))
    if len([coding for coding in applied if coding in pack]) > 4:
        with pytest.raises(InvalidTensors, match="at most 4 codings"):
            unpack(packed, ",".join(header), 10_000)
    else:
        assert unpack(packed, ",".join(header), 10_000) == body


def gzip_member(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def raw_deflate(body: bytes) -> bytes:
    """Deflate without zlib's header, as some clients send it."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5))
def test_gzip_of_several_members_is_one_body(parts: list[bytes]) -> None:
    """RFC 1952, 2.2: members follow one another."""
    packed = b"".join(map(gzip_member, parts))
    assert unpack(packed, "gzip", 200) == b"".join(parts)
    if len(b"".join(parts)) > 0:
        with pytest.raises(RequestTooLarge):
            unpack(packed, "gzip", len(b"".join(parts)) - 1)


@pytest.mark.parametrize("members", [1, 3])
def test_bombs_are_not_unpacked(members: int) -> None:
    """A small body that unpacks to a large one is refused at the limit, in one layer or two, in any member."""
    bomb = gzip.compress(bytes(1 << 26))
    bombs = gzip_member(b"") * (members - 1) + bomb
    with pytest.raises(RequestTooLarge):
        unpack(bombs, "gzip", 1 << 20)
    with pytest.raises(RequestTooLarge):
        unpack(gzip_member(bombs), "gzip, gzip", 1 << 20)


def test_members_are_bounded() -> None:
    """Each costs a copy of what follows, so that thousands of them are refused."""
    with pytest.raises(InvalidTensors):
        unpack(gzip_member(b"") * 100, "gzip", 1 << 20)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", "gzip"),
        (gzip.compress(b"{}" * 50, mtime=0)[:-9], "gzip"),
        (gzip.compress(b"{}", mtime=0) + b"tail", "gzip"),
        (b"{}", "br"),
        (b"{}", "gzip;q=1"),
        (b"{}", "gzip deflate"),
        (b"{}", "chunked"),
        (gzip.compress(b"{}", mtime=0), "gzip, br"),
        (gzip.compress(b"{}", mtime=0), "gzip, gzip"),
        (zlib.compress(b"{}") * 2, "deflate"),
    ],
)
def test_broken_encodings_are_refused(body: bytes, encoding: str) -> None:
    """What is not in its encoding, or in one that is not supported, is the caller's mistake."""
    with pytest.raises(InvalidTensors):
        unpack(body, encoding, 1000)
