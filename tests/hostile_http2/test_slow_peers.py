"""Peers that do not read, do not send, or send more than they may: bounded memory, an end in time."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from load_tests.waiting import poll
from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Attacker
from tests.hostile_http2.calls import DEADLINE_EXCEEDED, check, head, infer, prefixed
from tests.hostile_http2.conftest import ECHO, LIMITS, Connect
from tests.hostile_http2.frames import DEFAULT_WINDOW, LARGEST_WINDOW, Code, Kind, Setting, frame
from tests.serving.fronts import ATTACKED
from tests.serving.server_process import ServerProcess, running

pytestmark = pytest.mark.every_front(*ATTACKED)

STREAMS = range(1, 61, 2)
SOON = ("grpc-timeout", "1S")


def nothing_inside(server: ServerProcess) -> bool:
    """Whether no call of gRPC is being worked on."""
    return 'dns_risk_in_flight{protocol="grpc"} 0.0' in httpx.get(f"{server.rest_url}/metrics").text


def test_answers_that_nobody_takes_end_with_their_deadline(connect: Connect) -> None:
    """Windows that stay closed hold an answer until its deadline, not for ever."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, 0))
    for number in STREAMS:
        peer.ask(number, infer(size=100_000), head(SOON))
    peer.until(lambda: all(peer.answers[number].over for number in STREAMS), "all ended", limit_s=5)
    for number in STREAMS:
        answer = peer.answers[number]
        assert answer.reset == Code.CANCEL or answer.grpc_status == DEADLINE_EXCEEDED
    peer.send(frames.settings((Setting.INITIAL_WINDOW_SIZE, 1 << 20)))
    peer.ask(101, infer(), head())
    check(peer.answer(101))


@pytest.mark.falls_short("grpcio", "a call without grpc-timeout has no deadline of gRPC's core")
def test_answers_that_nobody_takes_end_without_a_deadline_too(connect: Connect) -> None:
    """Where the caller set no deadline, the default one ends it."""
    peer = connect((Setting.INITIAL_WINDOW_SIZE, 0))
    peer.ask(1, infer(size=100_000), head())
    peer.answer(1, limit_s=4)


def test_requests_that_do_not_come_end_with_their_deadline(connect: Connect, server: ServerProcess) -> None:
    """Half a message holds a stream until its deadline, not for ever."""
    peer = connect()
    for number in STREAMS:
        peer.send(frames.headers(number, peer.encoder.encode(head(SOON))), frames.data(number, infer()[:50]))
    peer.until(lambda: all(peer.answers[number].over for number in STREAMS), "all ended", limit_s=5)
    assert nothing_inside(server)


def requests(peer: Attacker, count: int, body: bytes) -> list[bytes]:
    """Whole requests on new streams."""
    return [
        frames.headers(number, peer.encoder.encode(head())) + frames.data(number, body, end=True)
        for number in range(1, 2 * count, 2)
    ]


@pytest.mark.parametrize("size", [0, 60_000])
def test_a_peer_that_reads_nothing_is_held_back(strange: Connect, server: ServerProcess, size: int) -> None:
    """With every window open and nothing read, answers stop when the buffers are full."""
    peer = strange(receive_buffer=4096)
    peer.send(frames.PREFACE, frames.settings((Setting.INITIAL_WINDOW_SIZE, LARGEST_WINDOW)))
    peer.send(frames.window_update(0, LARGEST_WINDOW - DEFAULT_WINDOW))
    body = infer(size=size)
    count = 150_000_000 // (2000 if size == 0 else len(body))
    peer.flood(requests(peer, count, body))
    peer.close()
    poll(lambda: nothing_inside(server))


def test_a_peer_that_reads_no_pongs_is_held_back(strange: Connect) -> None:
    """Answers to PING are bounded as well."""
    peer = strange(receive_buffer=4096)
    peer.send(frames.PREFACE, frames.settings())
    peer.flood([frames.ping() * 5000] * 500)


def test_more_than_the_window_is_not_kept(connect: Connect) -> None:
    """DATA beyond the windows that the server gave ends the stream or connection, in bounded memory."""
    peer = connect()
    peer.send(frames.headers(1, peer.encoder.encode(head())))
    chunk = frame(Kind.DATA, 0, 1, bytes(16_384))
    peer.flood([frames.data(1, prefixed(b"", size=1 << 20)), *[chunk * 64] * 128])
    assert peer.refused(1)


def test_half_requests_of_many_streams_are_bounded(connect: Connect, front: str) -> None:
    """Every stream filled with all but the end of a large message: less is kept than came."""
    part = prefixed(bytes(400_000), size=1 << 20)
    # One connection may use up all calls of grpc.aio, and calls without grpc-timeout have no end.
    for _ in range(1 if front == "grpcio" else 3):
        peer = connect()
        allowed = peer.settings[Setting.MAX_CONCURRENT_STREAMS]
        block = peer.encoder.encode(head())
        known = peer.encoder.encode(head())
        blocks = [block, *[known] * (allowed - 1)]
        peer.flood(
            frames.headers(2 * place + 1, own) + frames.data(2 * place + 1, part)
            for place, own in enumerate(blocks)
        )
        if front == "grpcio":
            peer.close()


def test_half_requests_crowd_nobody_out(connect: Connect) -> None:
    """However full one connection makes the server with what it does not finish, others are answered at once."""
    peer, other = connect(), connect()
    # Halved and halved again, so that the server is filled up to its last bytes, however much that is.
    for place, size in enumerate([1_000_000] * 40 + [1 << power for power in range(19, 4, -1)]):
        block = peer.encoder.encode(head(("grpc-timeout", "3S")))
        part = prefixed(bytes(size), size=1 << 20)
        peer.flood([frames.headers(2 * place + 1, block), frames.data(2 * place + 1, part)])
    peer.barrier()
    for number in range(1, 21, 2):
        other.ask(number, infer(), head())
        check(other.answer(number))


@pytest.mark.slow
def test_a_peer_that_does_not_answer_pings_is_left(front_settings: dict[str, str]) -> None:
    """Keepalive gives up a peer that reads nothing, whatever the windows that it gave."""
    with running(ECHO, LIMITS | front_settings) as server:
        peer = Attacker(server.grpc_port, receive_buffer=4096)
        peer.send(frames.PREFACE, frames.settings((Setting.INITIAL_WINDOW_SIZE, LARGEST_WINDOW)))
        peer.send(frames.window_update(0, LARGEST_WINDOW - DEFAULT_WINDOW))
        peer.flood(requests(peer, 60, infer(size=60_000)))
        connected = open_files(server)
        # Asked after 10 s of silence, and given up 20 s later.
        poll(lambda: open_files(server) < connected, limit_s=45, period_s=1)
        peer.close()


def open_files(server: ServerProcess) -> int:
    """How many files and sockets the server has open."""
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
