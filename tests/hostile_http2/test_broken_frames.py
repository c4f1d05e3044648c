"""Frames that break RFC 9113: the connection, or at least the stream, ends, and nobody else is hurt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Attacker
from tests.hostile_http2.calls import check, head, infer
from tests.hostile_http2.conftest import Connect
from tests.hostile_http2.frames import LARGEST_WINDOW, Flag, Kind, Setting, frame
from tests.serving.fronts import ATTACKED

pytestmark = pytest.mark.every_front(*ATTACKED)

BODY = infer()
Breach = Callable[[Attacker], bytes]


def opened(peer: Attacker, stream: int = 1) -> bytes:
    """HEADERS of a call whose message is still to come."""
    return frames.headers(stream, peer.encoder.encode(head()))


def done(peer: Attacker) -> bytes:
    """A call that is answered before the breach comes."""
    peer.ask(1, BODY, head())
    check(peer.answer(1))
    return b""


def by_hand(raw: bytes) -> Breach:
    """These bytes on a connection without streams."""
    return lambda _: raw


SIZES: dict[str, Breach] = {
    "PING of 7 bytes": by_hand(frame(Kind.PING, 0, 0, bytes(7))),
    "PING of 9 bytes": by_hand(frame(Kind.PING, 0, 0, bytes(9))),
    "empty PING": by_hand(frame(Kind.PING, 0, 0)),
    "SETTINGS of 5 bytes": by_hand(frame(Kind.SETTINGS, 0, 0, bytes(5))),
    "SETTINGS ack of 6 bytes": by_hand(frame(Kind.SETTINGS, Flag.ACK, 0, bytes(6))),
    "WINDOW_UPDATE of 3 bytes": by_hand(frame(Kind.WINDOW_UPDATE, 0, 0, bytes(3))),
    "WINDOW_UPDATE of 5 bytes": by_hand(frame(Kind.WINDOW_UPDATE, 0, 0, bytes([0, 0, 0, 1, 1]))),
    "RST_STREAM of 3 bytes": lambda peer: opened(peer) + frame(Kind.RST_STREAM, 0, 1, bytes(3)),
    "RST_STREAM of 5 bytes": lambda peer: opened(peer) + frame(Kind.RST_STREAM, 0, 1, bytes(5)),
    "GOAWAY of 7 bytes": by_hand(frame(Kind.GOAWAY, 0, 0, bytes(7))),
    "DATA over the largest size": lambda peer: opened(peer) + frame(Kind.DATA, 0, 1, bytes(2**24 - 1)),
    "HEADERS over the largest size": by_hand(frame(Kind.HEADERS, Flag.END_HEADERS, 1, bytes(2**24 - 1))),
    "unknown frame over the largest size": by_hand(frame(0xBB, 0, 0, bytes(2**24 - 1))),
    "size without bytes": by_hand(frame(Kind.PING, 0, 0, b"", size=2**24 - 1) + bytes(1 << 17)),
    "HEADERS too short for priority": by_hand(
        frame(Kind.HEADERS, Flag.END_HEADERS | Flag.PRIORITY, 1, b"12")
    ),
    "padding longer than DATA": lambda peer: opened(peer) + frame(Kind.DATA, Flag.PADDED, 1, b"\x05abcd"),
    "padded DATA without length": lambda peer: opened(peer) + frame(Kind.DATA, Flag.PADDED, 1),
    "padding longer than HEADERS": by_hand(
        frame(Kind.HEADERS, Flag.END_HEADERS | Flag.PADDED, 1, b"\xffabcd")
    ),
}
STREAMS: dict[str, Breach] = {
    "SETTINGS of a stream": by_hand(frame(Kind.SETTINGS, 0, 1)),
    "PING of a stream": by_hand(frame(Kind.PING, 0, 1, bytes(8))),
    "GOAWAY of a stream": by_hand(frame(Kind.GOAWAY, 0, 1, bytes(8))),
    "DATA of the connection": by_hand(frame(Kind.DATA, 0, 0, b"x")),
    "HEADERS of the connection": by_hand(frame(Kind.HEADERS, Flag.END_HEADERS, 0, b"\x82")),
    "RST_STREAM of the connection": by_hand(frame(Kind.RST_STREAM, 0, 0, bytes(4))),
    "CONTINUATION of the connection": by_hand(frame(Kind.CONTINUATION, Flag.END_HEADERS, 0, b"\x82")),
    "DATA before HEADERS": by_hand(frame(Kind.DATA, 0, 1, b"x")),
    "RST_STREAM before HEADERS": by_hand(frames.reset(1)),
    "WINDOW_UPDATE before HEADERS": by_hand(frames.window_update(1, 1)),
    "even stream": lambda peer: opened(peer, 2),
    "lower stream": lambda peer: opened(peer, 5) + opened(peer, 3),
    "closed stream again": lambda peer: done(peer) + opened(peer, 1),
    "PUSH_PROMISE": lambda peer: opened(peer) + frame(Kind.PUSH_PROMISE, 4, 1, bytes([0, 0, 0, 2]) + b"\x82"),
    "CONTINUATION of nothing": by_hand(frame(Kind.CONTINUATION, Flag.END_HEADERS, 1, b"\x82")),
    "block interrupted by PING": by_hand(frame(Kind.HEADERS, 0, 1, b"\x82") + frames.ping()),
    "block interrupted by DATA": by_hand(frame(Kind.HEADERS, 0, 1, b"\x82") + frame(Kind.DATA, 0, 1, b"x")),
    "block interrupted by the unknown": by_hand(frame(Kind.HEADERS, 0, 1, b"\x82") + frame(0xBB, 0, 1)),
    "block goes on elsewhere": by_hand(
        frame(Kind.HEADERS, 0, 1, b"\x82") + frame(Kind.CONTINUATION, Flag.END_HEADERS, 3, b"\x84")
    ),
}
VALUES: dict[str, Breach] = {
    "ENABLE_PUSH 2": by_hand(frames.settings((Setting.ENABLE_PUSH, 2))),
    "window of 2^31": by_hand(frames.settings((Setting.INITIAL_WINDOW_SIZE, 2**31))),
    "frames of 16,383": by_hand(frames.settings((Setting.MAX_FRAME_SIZE, 16_383))),
    "frames of 2^24": by_hand(frames.settings((Setting.MAX_FRAME_SIZE, 2**24))),
    "no credit for the connection": by_hand(frames.window_update(0, 0)),
    "too much credit for the connection": by_hand(frames.window_update(0, LARGEST_WINDOW)),
    "settings widen an open window too far": lambda peer: (
        opened(peer)
        + frames.window_update(1, LARGEST_WINDOW - 65_535)
        + frames.settings((Setting.INITIAL_WINDOW_SIZE, 65_536))
    ),
}
BREACHES = SIZES | STREAMS | VALUES
# gRPC's core bears these, some by ignoring the frame, although RFC 9113 asks for the end of the connection.
BORNE_BY_CORE = {
    "padding longer than DATA",
    "padded DATA without length",
    "PING of a stream",
    "GOAWAY of a stream",
    "DATA of the connection",
    "HEADERS of the connection",
    "RST_STREAM of the connection",
    "DATA before HEADERS",
    "RST_STREAM before HEADERS",
    "WINDOW_UPDATE before HEADERS",
    "even stream",
    "lower stream",
    "closed stream again",
    "PUSH_PROMISE",
    "too much credit for the connection",
    "settings widen an open window too far",
    "too much credit for a stream",
}


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_ends_the_connection(connect: Connect, front: str, case: str) -> None:
    """What RFC 9113 calls a connection error ends the connection."""
    peer = connect()
    peer.send(BREACHES[case](peer))
    assert (front == "grpcio" and case in BORNE_BY_CORE) or peer.ended(3), peer.answers


STREAM_ERRORS: dict[str, Breach] = {
    "no credit for a stream": lambda peer: opened(peer) + frames.window_update(1, 0),
    "too much credit for a stream": lambda peer: opened(peer) + frames.window_update(1, LARGEST_WINDOW),
    "HEADERS twice": lambda peer: opened(peer) + opened(peer),
}


@pytest.mark.parametrize("case", STREAM_ERRORS)
def test_a_breach_of_a_stream_ends_it(connect: Connect, front: str, case: str) -> None:
    """What RFC 9113 calls a stream error ends the stream, or its connection."""
    peer = connect()
    peer.send(STREAM_ERRORS[case](peer))
    assert (front == "grpcio" and case in BORNE_BY_CORE) or peer.refused(1, 3)


HARMLESS: dict[str, Breach] = {
    "PRIORITY of 4 bytes": by_hand(frame(Kind.PRIORITY, 0, 1, bytes(4))),
    "PRIORITY of the connection": by_hand(frame(Kind.PRIORITY, 0, 0, bytes(5))),
    "stream that depends on itself": by_hand(frame(Kind.PRIORITY, 0, 1, bytes([0, 0, 0, 1, 9]))),
    "DATA after the end": lambda peer: done(peer) + frames.data(1, b"more"),
    "HEADERS after the end": lambda peer: done(peer) + opened(peer, 1),
    "RST_STREAM after the end": lambda peer: done(peer) + frames.reset(1),
    "WINDOW_UPDATE after the end": lambda peer: done(peer) + frames.window_update(1, 5),
    "SETTINGS acknowledged twice": by_hand(frame(Kind.SETTINGS, Flag.ACK, 0)),
    "HEADERS after END_STREAM": lambda peer: opened(peer) + frames.data(1, BODY, end=True) + opened(peer),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_harmless_breaches_are_borne_or_end_the_connection(connect: Connect, case: str) -> None:
    """After what may be ignored or refused, the connection either works or is told to be over."""
    peer = connect()
    peer.send(HARMLESS[case](peer))
    peer.ask(7, BODY, head())
    peer.read(lambda: peer.answers[7].over or bool(peer.farewells))
    if not peer.farewells and not peer.closed:
        check(peer.answers[7])
