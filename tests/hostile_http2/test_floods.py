"""Frames that cost their sender nothing, by the ten thousands: bounded memory, and others are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Attacker
from tests.hostile_http2.calls import RESOURCE_EXHAUSTED, check, head, infer
from tests.hostile_http2.conftest import Connect
from tests.hostile_http2.frames import Code, Flag, Kind, Setting, frame
from tests.hostile_http2.survival import Survivor
from tests.serving.fronts import ATTACKED

pytestmark = pytest.mark.every_front(*ATTACKED)

MANY = 50_000
AT_A_TIME = 500
Parts = Iterator[bytes]


def repeated(part: bytes, count: int = MANY) -> Parts:
    """The same frames again and again, some hundred in one write."""
    for _ in range(count // AT_A_TIME):
        yield part * AT_A_TIME


def block(peer: Attacker, path: str = "") -> bytes:
    """A header block that leaves the table alone after its first use."""
    encoded: bytes = peer.encoder.encode(head(path=path) if path else head())
    return encoded


def calls(peer: Attacker, *after: Callable[[int], bytes], count: int = 20_000, path: str = "") -> Parts:
    """So many new streams, each followed by these frames."""
    peer.send(frames.headers(1, block(peer, path)), frames.reset(1))
    known = block(peer, path)
    for first in range(3, 2 * count, 2 * AT_A_TIME):
        streams = range(first, first + 2 * AT_A_TIME, 2)
        yield b"".join(
            frames.headers(number, known) + b"".join(part(number) for part in after) for number in streams
        )


def rapid_reset(peer: Attacker) -> Parts:
    """CVE-2023-44487: streams opened and cancelled at once."""
    return calls(peer, frames.reset)


def rapid_reset_of_work(peer: Attacker) -> Parts:
    """The same with whole requests, so that work has begun."""
    body = infer(sleep_s=1)
    return calls(peer, lambda number: frames.data(number, body, end=True), frames.reset, count=5_000)


def made_the_server_reset(peer: Attacker) -> Parts:
    """CVE-2025-8671: the server is made to reset streams by breaches, instead of the peer."""
    return calls(peer, lambda number: frames.window_update(number, 0), count=10_000)


def unfinished(peer: Attacker) -> Parts:
    """Streams without end."""
    return calls(peer, count=10_000)


def refusals(peer: Attacker) -> Parts:
    """Refusals that nobody reads: each answer is larger than its request."""
    return calls(peer, lambda number: frames.data(number, b"", end=True), count=200_000, path="/a/b")


def empty_data(peer: Attacker) -> Parts:
    """CVE-2019-9518: DATA that brings nothing."""
    peer.send(frames.headers(1, block(peer)))
    return repeated(frame(Kind.DATA, 0, 1))


def empty_data_of_the_refused(peer: Attacker) -> Parts:
    """The same for a call that was answered before its end."""
    peer.send(frames.headers(1, block(peer, "/a/b")))
    return repeated(frame(Kind.DATA, 0, 1))


def padding_only(peer: Attacker) -> Parts:
    """The same, padded."""
    peer.send(frames.headers(1, block(peer)))
    return repeated(frame(Kind.DATA, Flag.PADDED, 1, frames.padded(b"", 8)), 10_000)


def changing_windows(peer: Attacker) -> Parts:
    """Settings that move the windows of many open streams up and down."""
    for number in range(1, 121, 2):
        peer.send(frames.headers(number, block(peer)))
    sizes = ((Setting.INITIAL_WINDOW_SIZE, size) for size in (0, 1 << 20))
    return repeated(b"".join(map(frames.settings, sizes)), 20_000)


def resets_of_the_closed(peer: Attacker) -> Parts:
    """RST_STREAM of a stream that is over."""
    peer.ask(1, infer(), head())
    check(peer.answer(1))
    return repeated(frames.reset(1))


def byte_by_byte(peer: Attacker) -> Parts:
    """DATA of one byte each: a message of many parts."""
    peer.send(frames.headers(1, block(peer)), frames.data(1, infer(size=60_000)[:5]))
    return repeated(frame(Kind.DATA, 0, 1, b"x"))


FLOODS: dict[str, Callable[[Attacker], Parts]] = {
    "rapid reset": rapid_reset,
    "rapid reset of work": rapid_reset_of_work,
    "made the server reset": made_the_server_reset,
    "unfinished": unfinished,
    "refusals": refusals,
    "empty data": empty_data,
    "empty data of the refused": empty_data_of_the_refused,
    "padding only": padding_only,
    "changing windows": changing_windows,
    "resets of the closed": resets_of_the_closed,
    "byte by byte": byte_by_byte,
    "SETTINGS": lambda _: repeated(frames.settings((Setting.MAX_CONCURRENT_STREAMS, 1))),
    "empty SETTINGS": lambda _: repeated(frames.settings()),
    "PING": lambda _: repeated(frames.ping()),
    "PING answers": lambda _: repeated(frames.ping(ack=True)),
    "resets of the idle": lambda _: repeated(frames.reset(99)),
    "PRIORITY": lambda _: repeated(frame(Kind.PRIORITY, 0, 3, bytes(5))),
    "PRIORITY of many": lambda _: (
        b"".join(frame(Kind.PRIORITY, 0, number, bytes(5)) for number in range(first, first + 1000, 2))
        for first in range(1, 2 * MANY, 1000)
    ),
    "WINDOW_UPDATE": lambda _: repeated(frames.window_update(0, 1)),
    "unknown frames": lambda _: repeated(frame(0xBB, 0, 0, b"?")),
    "GOAWAY": lambda _: repeated(frame(Kind.GOAWAY, 0, 0, bytes(8))),
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_are_survived(connect: Connect, front: str, name: str) -> None:
    """Neither reading nor being read, a peer that floods harms only itself."""
    peer = connect()
    peer.flood(FLOODS[name](peer))
    if front == "grpcio" and name == "unfinished":
        # One connection may use up all calls of grpc.aio, and calls without grpc-timeout have no end.
        peer.close()


CALMED = (
    "rapid reset",
    "PING",
    "SETTINGS",
    "empty data",
    "empty data of the refused",
    "made the server reset",
)


@pytest.mark.parametrize("name", CALMED)
def test_floods_are_told_to_calm_down(connect: Connect, name: str, front: str) -> None:
    """Whoever reads while he floods is told why his connection ends, if it does."""
    peer = connect()
    for part in FLOODS[name](peer):
        peer.send(part)
        peer.read(lambda: True)
        if peer.farewells:
            break
    peer.read(lambda: bool(peer.farewells), limit_s=0.5)
    if front == "thin":
        assert peer.farewells or peer.closed
    assert all(code in {Code.ENHANCE_YOUR_CALM, Code.PROTOCOL_ERROR} for _, code in peer.farewells)


def test_others_are_answered_meanwhile(connect: Connect, survivor: Survivor) -> None:
    """While four connections flood, a client that keeps the rules is answered."""
    peers = [connect() for _ in range(4)]
    with ThreadPoolExecutor() as attackers:
        floods = [
            attackers.submit(peer.flood, FLOODS[name](peer))
            for peer, name in zip(peers, ("rapid reset", "PING", "empty data", "SETTINGS"), strict=True)
        ]
        while not all(flood.done() for flood in floods):
            survivor.answers()


def test_streams_over_the_limit_are_refused(connect: Connect) -> None:
    """More streams than announced are REFUSED_STREAM or RESOURCE_EXHAUSTED; the others are answered."""
    peer = connect()
    allowed = peer.settings[Setting.MAX_CONCURRENT_STREAMS]
    peer.ask(1, infer(sleep_s=1), head())
    for number in range(3, 2 * allowed + 41, 2):
        peer.send(frames.headers(number, peer.encoder.encode(head())))
    extra = range(2 * allowed + 1, 2 * allowed + 41, 2)
    peer.until(lambda: all(peer.answers[number].over for number in extra), "refused")
    for number in extra:
        answer = peer.answers[number]
        assert answer.reset == Code.REFUSED_STREAM or answer.grpc_status == RESOURCE_EXHAUSTED
    check(peer.answer(1))
