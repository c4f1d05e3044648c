"""One request cut and dressed in every way RFC 9113 allows: always the same answer."""

from __future__ import annotations

import random

import pytest

from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Attacker
from tests.hostile_http2.calls import check, head, infer
from tests.hostile_http2.conftest import Connect
from tests.hostile_http2.frames import Flag, Kind, frame, padded

pytestmark = pytest.mark.every_front

BODY = infer()


def block(peer: Attacker) -> bytes:
    """The header block of a good request."""
    encoded: bytes = peer.encoder.encode(head())
    return encoded


@pytest.mark.parametrize("sizes", [(1,), (3, 64), (5, 16_384), (5, 1, 16_384), (4, 1, 7), (16_384,)])
def test_messages_come_in_any_parts(connect: Connect, sizes: tuple[int, ...]) -> None:
    """A message may be cut anywhere, also within the five bytes before it."""
    peer = connect()
    *parts, last = frames.cut(BODY, *sizes)
    peer.send(frames.headers(1, block(peer)))
    for part in parts:
        peer.send(frame(Kind.DATA, 0, 1, part))
    peer.send(frame(Kind.DATA, Flag.END_STREAM, 1, last))
    check(peer.answer(1))


def test_frames_come_in_any_parts(strange: Connect) -> None:
    """TCP may cut the preface and every frame anywhere."""
    peer = strange()
    request = frames.headers(1, block(peer)) + frames.data(1, BODY, end=True)
    for part in frames.cut(frames.PREFACE + frames.settings() + request, 7):
        peer.send(part)
    check(peer.answer(1))


@pytest.mark.falls_short("grpcio", "gRPC's core takes padding of HEADERS for headers")
@pytest.mark.parametrize("padding", [0, 1, 255])
def test_padding_is_left_out(connect: Connect, padding: int) -> None:
    """Padding of DATA and HEADERS is no content."""
    peer = connect()
    peer.send(frame(Kind.HEADERS, Flag.END_HEADERS | Flag.PADDED, 1, padded(block(peer), padding)))
    for part in frames.cut(BODY, 3, 50):
        peer.send(frame(Kind.DATA, Flag.PADDED, 1, padded(part, padding)))
    peer.send(frame(Kind.DATA, Flag.PADDED | Flag.END_STREAM, 1, padded(b"", padding)))
    check(peer.answer(1))


def test_priority_is_left_out(connect: Connect) -> None:
    """Priority in HEADERS and in frames of its own, on streams in any state, changes nothing."""
    peer = connect()
    fields = bytes([0x80, 0, 0, 0, 200]) + block(peer)
    flags = Flag.END_HEADERS | Flag.PRIORITY
    priority = frame(Kind.PRIORITY, 0, 1, bytes([0, 0, 0, 3, 16]))
    peer.send(priority, frame(Kind.HEADERS, flags, 1, fields), priority)
    peer.send(frames.data(1, BODY, end=True), priority)
    check(peer.answer(1))
    peer.send(priority, frame(Kind.PRIORITY, 0, 77, bytes([0, 0, 0, 1, 1])))
    peer.ask(3, BODY, head())
    check(peer.answer(3))


@pytest.mark.parametrize("size", [1, 20, 100_000])
def test_header_blocks_come_in_any_parts(connect: Connect, size: int) -> None:
    """A header block may go on over CONTINUATION frames."""
    peer = connect()
    peer.send(frames.header_block_frames(1, frames.cut(block(peer), size)), frames.data(1, BODY, end=True))
    check(peer.answer(1))


def test_requests_may_interleave(connect: Connect) -> None:
    """Frames of several requests come mixed; each gets its own answer."""
    peer = connect()
    streams = {number: frames.cut(infer(f"request {number}"), 11) for number in range(1, 21, 2)}
    for number in streams:
        peer.send(frames.headers(number, block(peer)))
    rng = random.Random(0)  # noqa: S311 - any order will do
    while streams:
        number = rng.choice(list(streams))
        part = streams[number].pop(0)
        peer.send(frame(Kind.DATA, 0 if streams[number] else Flag.END_STREAM, number, part))
        if not streams[number]:
            del streams[number]
    for number in range(1, 21, 2):
        check(peer.answer(number), f"request {number}")


def test_an_empty_frame_may_end_a_request(connect: Connect) -> None:
    """END_STREAM may come with no bytes, or with trailers of the caller."""
    peer = connect()
    peer.send(frames.headers(1, block(peer)), frames.data(1, BODY))
    peer.send(frame(Kind.DATA, 0, 1), frame(Kind.DATA, Flag.END_STREAM, 1))
    check(peer.answer(1))
    peer.send(frames.headers(3, block(peer)), frames.data(3, BODY))
    peer.send(frames.headers(3, peer.encoder.encode([("x-sum", "7")]), end=True))
    check(peer.answer(3))


def test_unknown_things_are_ignored(connect: Connect) -> None:
    """Unknown frames and settings, and set reserved bits, are left out (RFC 9113 4.1, 5.5, 6.5.2)."""
    peer = connect((0x4242, 7), (0xFFFF, 0xFFFFFFFF))
    strange = [frame(0xBB, 0xFF, stream, b"what?") for stream in (0, 1, 2**31 - 1)]
    reserved = 1 << 31
    peer.send(*strange, frame(Kind.HEADERS, Flag.END_HEADERS, reserved | 1, block(peer)), *strange)
    peer.send(frame(Kind.DATA, 0, reserved | 1, BODY), *strange)
    peer.send(frame(Kind.WINDOW_UPDATE, 0, reserved, bytes([0x80, 0, 0, 1])))
    peer.send(frame(Kind.DATA, Flag.END_STREAM, 1))
    check(peer.answer(1))


@pytest.mark.falls_short("grpcio", "gRPC's core ends connections for flags that it does not know")
def test_unknown_flags_are_ignored(connect: Connect) -> None:
    """Flags without a meaning for their frame are left out (RFC 9113 4.1)."""
    peer = connect()
    peer.send(frame(Kind.HEADERS, Flag.END_HEADERS | 0xD2, 1, block(peer)))
    peer.send(frame(Kind.WINDOW_UPDATE, 0xFF, 0, bytes([0, 0, 0, 1])), frame(Kind.DATA, 0xF6, 1, BODY))
    peer.send(frame(Kind.DATA, Flag.END_STREAM, 1))
    check(peer.answer(1))


def test_the_header_table_is_kept(connect: Connect) -> None:
    """Headers indexed, evicted, and never indexed reach the server as they were meant."""
    peer = connect()
    for number in range(1, 61, 2):
        # More than the table of 4,096 bytes holds, so that later requests evict what earlier ones put there.
        more = [(f"x-filler-{number % 14}", "f" * 700), ("x-request-id", f"id {number % 6}")]
        peer.ask(number, infer(""), head(*more))
        check(peer.answer(number), f"id {number % 6}")


def test_the_header_table_may_change_size(connect: Connect) -> None:
    """The caller's encoder may shrink its table, to nothing, and grow it again."""
    peer = connect()
    for number, size in ((1, 4096), (3, 0), (5, 100), (7, 4096)):
        peer.encoder.header_table_size = size
        peer.ask(number, BODY, head(("x-a", "b" * 50)))
        check(peer.answer(number))


def test_answers_obey_a_smaller_header_table(strange: Connect) -> None:
    """A caller that allows no header table can read the answers."""
    peer = strange()
    # hpack's decoder raises when a block does not begin with the smaller size, or refers to a table.
    peer.decoder.max_allowed_table_size = 0
    peer.greet((frames.Setting.HEADER_TABLE_SIZE, 0))
    for number in (1, 3, 5):
        peer.ask(number, BODY, head())
        check(peer.answer(number))
