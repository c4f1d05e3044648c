"""Header blocks that are malformed, broken, endless or that blow up (RFC 9113 8.2, 8.3; RFC 7541)."""

from __future__ import annotations

import pytest

from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Attacker, Headers
from tests.hostile_http2.calls import check, head, infer
from tests.hostile_http2.conftest import LIMITS, Connect
from tests.hostile_http2.frames import Flag, Kind, frame
from tests.serving.fronts import ATTACKED

pytestmark = pytest.mark.every_front(*ATTACKED)

BODY = infer()
LIMIT = int(LIMITS["max_header_bytes"])
MALFORMED: dict[str, Headers] = {
    "no headers": [],
    "no method": head(method=""),
    "no path": head(path=""),
    "empty path": [(name, "" if name == ":path" else value) for name, value in head()],
    "path twice": [(":path", "/a/b"), *head()],
    "pseudo-header late": [*head(method=""), (":method", "POST")],
    "unknown pseudo-header": [(":protocol", "websocket"), *head()],
    "status in a request": [(":status", "200"), *head()],
    "upper case": head(("X-Upper", "x")),
    "connection": head(("connection", "keep-alive")),
    "transfer-encoding": head(("transfer-encoding", "chunked")),
    "upgrade": head(("upgrade", "h2c")),
    "te other than trailers": head(("te", "gzip")),
    "empty name": head(("", "x")),
    "name with a space": head(("a b", "x")),
    "name with a line break": head(("a\r\nb", "x")),
    "value with a line break": head(("a", "b\r\nc: d")),
    "value with a NUL": head(("a", "b\0c")),
}
# gRPC's core serves what it can make sense of.
BORNE_BY_CORE = {
    "path twice",
    "pseudo-header late",
    "status in a request",
    "connection",
    "transfer-encoding",
    "upgrade",
    "value with a line break",
    "value with a NUL",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_requests_are_refused(connect: Connect, front: str, case: str) -> None:
    """A request whose headers HTTP/2 forbids is refused and never served."""
    peer = connect()
    peer.ask(1, BODY, MALFORMED[case])
    assert (front == "grpcio" and case in BORNE_BY_CORE) or peer.refused(1, 4), peer.answers[1]


HUFFMAN_OF_EOS = b"\x00\x01a\x84" + b"\xff" * 4
BROKEN_BLOCKS = {
    "index zero": b"\x80",
    "index beyond the table": b"\xff\x80\x01",
    "endless integer": b"\xff" + b"\xff" * 40,
    "integer of 2^70": b"\x7f" + b"\x80" * 9 + b"\x01",
    "name cut off": b"\x00\x10abc",
    "value cut off": b"\x00\x01a\x10abc",
    "length beyond the block": b"\x00\x7f\xff\xff\xff\xff\x07a",
    "table larger than allowed": b"\x3f\xe1\xff\xff\x0f\x82",
    "padding of eight bits": b"\x00\x01a\x82\x1f\xff",
    "end of string in a string": HUFFMAN_OF_EOS,
}


@pytest.mark.parametrize("case", BROKEN_BLOCKS)
def test_broken_compression_ends_the_connection(connect: Connect, case: str) -> None:
    """A block that cannot be decoded leaves the tables out of step: nothing after it may be believed."""
    peer = connect()
    peer.send(frames.headers(1, BROKEN_BLOCKS[case], end=True))
    assert peer.refused(1, 4), peer.answers


@pytest.mark.parametrize("place", ["one value", "one name", "many", "continued"])
def test_too_many_headers_are_refused(connect: Connect, place: str) -> None:
    """A list of headers over the limit is refused, with its stream or its connection."""
    more = {
        "one value": [("a", "v" * 2 * LIMIT)],
        "one name": [("n" * 2 * LIMIT, "v")],
        "many": [(f"x-{number}", "v") for number in range(LIMIT // 16)],
        "continued": [(f"x-{number}", "v" * 100) for number in range(LIMIT // 50)],
    }[place]
    peer = connect()
    block = peer.encoder.encode(head(*more))
    size = 500 if place == "continued" else 16_384
    peer.send(frames.header_block_frames(1, frames.cut(block, size), end=True))
    assert peer.refused(1)


@pytest.mark.parametrize("place", ["one value", "many"])
def test_too_many_headers_cost_their_own_call_alone(connect: Connect, place: str) -> None:
    """Behind a proxy a connection carries the calls of many: those of others are answered."""
    more = {
        "one value": [("a", "v" * 2 * LIMIT)],
        "many": [(f"x-{number}", "v") for number in range(LIMIT // 32)],
    }
    peer = connect()
    peer.ask(1, infer("mine", sleep_s=0.3), head())
    block = peer.encoder.encode(head(*more[place]), huffman=False)
    peer.send(frames.header_block_frames(3, frames.cut(block, 16_384), end=True))
    assert peer.refused(3)
    check(peer.answer(1))
    peer.ask(5, BODY, head())
    check(peer.answer(5))


def test_many_headers_within_the_limit_are_served(connect: Connect) -> None:
    """A caller may use the limit; RFC 9113 counts 32 bytes beside name and value."""
    peer = connect()
    more = [(f"x-{number:03}", "v" * 20) for number in range(LIMIT // 2 // 57)]
    peer.ask(1, BODY, head(*more))
    check(peer.answer(1))


@pytest.mark.parametrize("part", [b"", b"\x00\x01a\x01b" * 3000])
def test_a_header_block_without_end_ends_the_connection(connect: Connect, front: str, part: bytes) -> None:
    """CONTINUATION for ever, empty or full (CVE-2024-27316), is stopped, or read without being kept."""
    peer = connect()
    peer.send(frame(Kind.HEADERS, 0, 1, peer.encoder.encode(head())))
    endless = frame(Kind.CONTINUATION, 0, 1, part) * 1000
    peer.flood([endless] * (40_000_000 // len(endless)))
    # gRPC's core reads on, and keeps nothing over its limit.
    assert (front == "grpcio" and part) or peer.ended()


def bomb(peer: Attacker, entry: int, references: int) -> bytes:
    """A block that names one large entry of the table again and again."""
    filler: bytes = peer.encoder.encode([*head(), ("x-bomb", "b" * entry)], huffman=False)
    # 62 is the youngest entry of the dynamic table (RFC 7541, 2.3.3).
    return filler + bytes([0x80 | 62]) * references


@pytest.mark.parametrize(("entry", "references"), [(4000, 12_000), (1900, 3000), (50, 16_000)])
def test_a_compression_bomb_is_refused(connect: Connect, entry: int, references: int) -> None:
    """A few thousand references that mean megabytes are refused, on many streams, without the megabytes."""
    for _ in range(10):
        peer = connect()
        block = bomb(peer, entry, references)
        peer.flood(frames.headers(stream, block, end=True) for stream in range(1, 21, 2))
        assert peer.refused(1)


def test_cookies_of_a_bomb_are_no_way_around(connect: Connect) -> None:
    """Many small crumbs count for the list as well (RFC 9113 8.2.3)."""
    peer = connect()
    block = peer.encoder.encode([*head(), ("cookie", "a=b")]) + bytes([0x80 | 62]) * 12_000
    peer.send(frames.headers(1, block, end=True))
    assert peer.refused(1)


def test_headers_may_be_flagged_to_end_without_a_message(connect: Connect) -> None:
    """Padding, priority and the end in one frame are read in the right order."""
    peer = connect()
    fields = bytes([0, 0, 0, 0, 1]) + peer.encoder.encode(head(path="/a/b"))
    flags = Flag.END_HEADERS | Flag.PRIORITY | Flag.END_STREAM
    peer.send(frame(Kind.HEADERS, flags, 1, fields))
    assert peer.answer(1).grpc_status == 12
