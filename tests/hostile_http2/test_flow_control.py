"""Answers keep to the windows of the caller, for each stream and for the connection (RFC 9113 5.2, 6.9)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Answer, Attacker
from tests.hostile_http2.calls import UNIMPLEMENTED, check, head, infer
from tests.hostile_http2.conftest import Connect
from tests.hostile_http2.frames import DEFAULT_FRAME_SIZE, DEFAULT_WINDOW, LARGEST_WINDOW, Flag, Kind, Setting

pytestmark = pytest.mark.every_front

SMALL, LARGE = infer(), infer(size=200_000)


def exactly(peer: Attacker, size: int, *streams: int) -> None:
    """Fails unless these streams together bring that many bytes and no more."""

    def came() -> int:
        return sum(len(peer.answers[stream].data) for stream in streams)

    peer.until(lambda: came() >= size, f"{size} bytes")
    peer.barrier()
    assert came() == size
    assert not any(peer.answers[stream].ended for stream in streams)


def test_an_answer_waits_for_the_window_of_its_stream(connect: Connect) -> None:
    """A stream's answer stops where its window ends, and goes on by as much as is given."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, 10))
    peer.ask(1, SMALL, head())
    exactly(peer, 10, 1)
    peer.send(frames.window_update(1, 1))
    exactly(peer, 11, 1)
    peer.send(frames.window_update(0, 1000))
    exactly(peer, 11, 1)
    peer.send(frames.window_update(1, 1000))
    check(peer.answer(1))


def test_an_answer_waits_for_the_window_of_the_connection(connect: Connect) -> None:
    """All streams together stop where the connection's window ends."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, LARGEST_WINDOW))
    peer.ask(1, LARGE, head())
    peer.ask(3, LARGE, head())
    exactly(peer, DEFAULT_WINDOW, 1, 3)
    peer.send(frames.window_update(0, 5))
    exactly(peer, DEFAULT_WINDOW + 5, 1, 3)
    peer.send(frames.window_update(0, 1 << 20))
    check(peer.answer(1))
    check(peer.answer(3))


def test_one_stalled_stream_does_not_hold_up_others(connect: Connect) -> None:
    """A stream without a window waits alone."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, 0))
    for number in (1, 3, 5):
        peer.ask(number, infer(f"request {number}"), head())
    peer.send(frames.window_update(3, 10_000))
    check(peer.answer(3), "request 3")
    peer.send(frames.window_update(5, 10_000), frames.window_update(1, 10_000))
    check(peer.answer(5), "request 5")
    check(peer.answer(1), "request 1")


def test_credit_may_come_before_the_answer(connect: Connect) -> None:
    """Credit that is given while a request is still coming counts for its answer."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, 0))
    peer.send(frames.headers(1, peer.encoder.encode(head())), frames.window_update(1, 20))
    peer.send(frames.data(1, SMALL, end=True))
    exactly(peer, 20, 1)
    peer.send(frames.window_update(1, 10_000))
    check(peer.answer(1))


def test_windows_change_while_streams_are_open(connect: Connect) -> None:
    """A new initial window moves open windows by the difference, below zero too (RFC 9113 6.9.2)."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, 0))
    peer.ask(1, SMALL, head())
    exactly(peer, 0, 1)
    peer.send(frames.settings((Setting.INITIAL_WINDOW_SIZE, 100)))
    exactly(peer, 100, 1)
    peer.send(frames.settings((Setting.INITIAL_WINDOW_SIZE, 40)), frames.window_update(1, 60))
    exactly(peer, 100, 1)
    peer.send(frames.window_update(1, 7))
    exactly(peer, 107, 1)
    peer.send(frames.settings((Setting.INITIAL_WINDOW_SIZE, 1 << 20)))
    check(peer.answer(1))
    peer.ask(3, SMALL, head())
    check(peer.answer(3))


def test_one_byte_at_a_time(connect: Connect) -> None:
    """The smallest credit, given a thousand times, brings the whole answer."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, 0))
    peer.ask(1, SMALL, head())
    peer.send(frames.window_update(1, 1) * 1000)
    check(peer.answer(1))


@pytest.mark.parametrize("size", [DEFAULT_FRAME_SIZE, 30_000, 2**24 - 1])
def test_frames_are_no_larger_than_allowed(connect: Connect, size: int) -> None:
    """No DATA frame is over SETTINGS_MAX_FRAME_SIZE."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, LARGEST_WINDOW), (Setting.MAX_FRAME_SIZE, size))
    peer.send(frames.window_update(0, 1 << 20))
    peer.ask(1, LARGE, head())
    check(peer.answer(1))
    assert peer.answers[1].largest_frame <= size


def credited(
    peer: Attacker, wave: Callable[[int], bytes], good: Callable[[Answer], object], *, total: int, size: int
) -> None:
    """Send requests that cost so much of the connection's window until a total, as far as there is room."""
    # The answers, which nobody looks at, have room.
    peer.send(frames.window_update(0, LARGEST_WINDOW - DEFAULT_WINDOW))
    stream, spent = 1, 0
    while spent < total:
        peer.until(lambda: peer.room >= size, f"credit for {size} bytes after {spent}")
        peer.send(wave(stream))
        good(peer.answer(stream))
        peer.room -= size
        spent += size
        stream += 2


@pytest.mark.falls_short("grpcio", "gRPC's core resets streams whose DATA is padded")
def test_padding_is_credited_back(connect: Connect) -> None:
    """Padding counts against the window, and is given back: otherwise a connection dries up in time."""
    peer = connect()
    parts = [frames.padded(part, 255) for part in frames.cut(SMALL, 2)]

    def wave(stream: int) -> bytes:
        request = frames.headers(stream, peer.encoder.encode(head()))
        padded = b"".join(frames.frame(Kind.DATA, Flag.PADDED, stream, part) for part in parts)
        return request + padded + frames.data(stream, b"", end=True)

    credited(peer, wave, check, total=20 << 20, size=sum(map(len, parts)))


def test_bytes_of_refused_streams_are_credited_back(connect: Connect) -> None:
    """What comes for streams that were answered early counts too, and is given back (RFC 9113 6.9)."""
    peer = connect()

    def refused(answer: Answer) -> None:
        assert answer.grpc_status == UNIMPLEMENTED

    def wave(stream: int) -> bytes:
        request = frames.headers(stream, peer.encoder.encode(head(path="/a/b")))
        return request + frames.data(stream, bytes(60_000), end=True)

    credited(peer, wave, refused, total=20 << 20, size=60_000)


def test_bytes_of_served_streams_are_credited_back(connect: Connect) -> None:
    """A connection lasts for more requests than fit into its first window."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, LARGEST_WINDOW))
    peer.send(frames.window_update(0, LARGEST_WINDOW - DEFAULT_WINDOW))
    body = infer(size=60_000)
    for stream in range(1, 601, 2):
        peer.until(lambda: peer.room >= len(body), "credit")
        peer.room -= len(body)
        peer.ask(stream, body, head())
        check(peer.answer(stream))
