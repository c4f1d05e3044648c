"""Peers that speak no HTTP/2, or nothing at all, and very many peers."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Attacker
from tests.hostile_http2.calls import check, head, infer
from tests.hostile_http2.conftest import ECHO, LIMITS, Connect
from tests.hostile_http2.frames import PREFACE, Kind, frame
from tests.hostile_http2.survival import Survivor
from tests.serving.fronts import ATTACKED
from tests.serving.server_process import HOST, ServerProcess, running

pytestmark = pytest.mark.every_front(*ATTACKED)

CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(190)) + bytes(8)
GREETINGS = {
    "garbage": b"\x00\xff" * 500,
    "zeros": bytes(1000),
    "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "upgrade to h2c": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    "TLS": CLIENT_HELLO,
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "preface with one wrong byte": PREFACE[:-5] + b"X" + PREFACE[-4:] + frames.settings(),
    "frames without preface": frames.settings() + frames.ping(),
    "DATA instead of SETTINGS": PREFACE + frame(Kind.DATA, 0, 1, b"x"),
    "PING instead of SETTINGS": PREFACE + frames.ping(),
    "acknowledgement instead of SETTINGS": PREFACE + frame(Kind.SETTINGS, 1, 0),
}
# RFC 9113 3.4: the preface ends with SETTINGS, but endpoints may be lenient about what they can do without.
BORNE_BY_CORE = {"PING instead of SETTINGS", "acknowledgement instead of SETTINGS"}


@pytest.mark.parametrize("greeting", GREETINGS)
def test_other_languages_are_hung_up_on(strange: Connect, front: str, greeting: str) -> None:
    """What is no HTTP/2 ends the connection, without waiting for more."""
    peer = strange()
    peer.send(GREETINGS[greeting])
    assert (front == "grpcio" and greeting in BORNE_BY_CORE) or peer.ended(4)


@pytest.mark.parametrize("said", [b"", PREFACE[:10], PREFACE, PREFACE + frames.settings()[:5]])
def test_silence_is_not_waited_for(strange: Connect, front: str, said: bytes) -> None:
    """A connection that does not finish its preface is closed after the header timeout."""
    peer = strange()
    peer.send(said)
    # gRPC's core is content with a preface that lacks its SETTINGS.
    if front != "grpcio" or said != PREFACE:
        peer.read(lambda: peer.closed, limit_s=6)
        assert peer.closed


@pytest.mark.falls_short("grpcio", "grpc.aio serves nobody any more after a path that is no UTF-8")
def test_paths_that_are_no_text_harm_nobody(front_settings: dict[str, str]) -> None:
    """Bytes that are no UTF-8 where headers should be text are refused, and nobody else is hurt."""
    with running(ECHO, LIMITS | front_settings) as server, closing(Attacker(server.grpc_port)) as peer:
        survivor = Survivor(server)
        peer.greet()
        block = peer.encoder.encode([pair for pair in head() if pair[0] != ":path"])
        # A literal without indexing (RFC 7541, 6.2.2) whose name is ":path", the fourth of the static table.
        peer.send(frames.headers(1, block[:2] + b"\x04\x03/\xff\xfe" + block[2:], end=True))
        assert peer.refused(1)
        survivor.check()


def test_a_slow_preface_is_still_welcome(strange: Connect) -> None:
    """One that comes in small parts, in time, is served."""
    peer = strange()
    for byte in PREFACE + frames.settings():
        peer.send(bytes([byte]))
    peer.ask(1, infer(), head())
    check(peer.answer(1))


def test_connections_that_come_and_go_leave_nothing(server: ServerProcess) -> None:
    """Thousands of connections that close at once, or in the middle of a frame, are forgotten."""
    for number in range(2000):
        with socket.create_connection((HOST, server.grpc_port)) as connection:
            connection.sendall((PREFACE + frames.settings())[: number % 40])


def test_five_hundred_idle_connections_are_borne(connect: Connect) -> None:
    """They cost little, and every one is answered when it asks."""
    peers = [connect() for _ in range(500)]
    for peer in peers:
        peer.ask(1, infer(), head())
        check(peer.answer(1))
