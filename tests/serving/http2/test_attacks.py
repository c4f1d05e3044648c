"""What breaks HTTP/2 servers; after each the server answers others, is alive, and has not grown."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.http2.frames import END_HEADERS, END_STREAM, PREFACE, Code, Kind, reset, window_update
from serving.http2.headers import header_block
from tests.serving.http2.raw_client import INFER, LIVE, RawClient, connected, frame, prefixed, settings_frame
from tests.serving.server_process import HOST, ServerProcess, poll, running
from tests.serving.v2_requests import message

ECHO = ("tests.serving.echo_service",)
GROWTH_BYTES = 64 << 20
MANY = 20_000


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """An echo service that is soon impatient."""
    with running(ECHO, {"header_timeout_s": "1", "default_deadline_ms": "2000"}) as process:
        yield process
        assert "Traceback" not in process.log()


def resident(server: ServerProcess) -> int:
    """Bytes of memory of the server."""
    size: int = psutil.Process(server.process.pid).memory_info().rss
    return size


@pytest.fixture
def unharmed(server: ServerProcess) -> Iterator[ServerProcess]:
    """The server; in the end a well-behaved client is answered, and nothing was kept."""
    with connected(server.grpc_port) as client:
        client.request(1)
        assert client.answer(1).status == 0
    before = resident(server)
    yield server
    with connected(server.grpc_port) as client:
        client.request(1)
        assert client.answer(1).status == 0
    assert resident(server) - before < GROWTH_BYTES
    inside = 'dns_risk_in_flight{protocol="grpc"}'
    lines = httpx.get(f"{server.rest_url}/metrics").text.splitlines()
    assert not any(line.startswith(inside) and not line.endswith(" 0.0") for line in lines)


def rapid_reset(_client: RawClient) -> bytes:
    """CVE-2023-44487."""
    block = header_block(
        [(":method", "POST"), (":scheme", "http"), (":path", INFER), ("content-type", "application/grpc")]
    )
    return b"".join(
        frame(Kind.HEADERS, END_HEADERS, stream, block) + reset(stream, Code.CANCEL)
        for stream in range(1, 2 * MANY, 2)
    )


def continuation_flood(_client: RawClient) -> bytes:
    """CVE-2024-27316: a header block without end."""
    return frame(Kind.HEADERS, 0, 1, b"") + frame(Kind.CONTINUATION, 0, 1, bytes(16_000)) * 2000


def empty_continuations(_client: RawClient) -> bytes:
    """The same without bytes."""
    return frame(Kind.HEADERS, 0, 1, b"") + frame(Kind.CONTINUATION, 0, 1) * MANY


def hpack_bomb(_client: RawClient) -> bytes:
    """A large entry of the dynamic table, named again and again."""
    entry = b"\x40\x01a" + _hpack_string(4000)
    return frame(Kind.HEADERS, END_HEADERS | END_STREAM, 1, entry + b"\xbe" * 12_000)


def _hpack_string(size: int) -> bytes:
    coded, rest = bytearray([127]), size - 127
    while rest >= 128:
        coded.append(rest & 127 | 128)
        rest >>= 7
    coded.append(rest)
    return bytes(coded) + b"v" * size


FLOODS: dict[str, tuple[Callable[[RawClient], bytes], set[int]]] = {
    "rapid reset": (rapid_reset, {Code.ENHANCE_YOUR_CALM}),
    "continuation flood": (continuation_flood, {Code.ENHANCE_YOUR_CALM}),
    "empty continuations": (empty_continuations, {Code.ENHANCE_YOUR_CALM}),
    "hpack bomb": (hpack_bomb, {Code.ENHANCE_YOUR_CALM, Code.COMPRESSION_ERROR}),
    "settings": (lambda _: settings_frame([]) * MANY, {Code.ENHANCE_YOUR_CALM}),
    "pings": (lambda _: frame(Kind.PING, 0, 0, bytes(8)) * MANY, {Code.ENHANCE_YOUR_CALM}),
    "priorities": (lambda _: frame(Kind.PRIORITY, 0, 1, bytes(5)) * MANY, {Code.ENHANCE_YOUR_CALM}),
    "window updates": (lambda _: window_update(0, 1) * MANY, {Code.ENHANCE_YOUR_CALM}),
    "unknown frames": (lambda _: frame(99, 0, 0) * MANY, {Code.ENHANCE_YOUR_CALM}),
    "empty data": (
        lambda client: (
            frame(Kind.HEADERS, END_HEADERS, 1, client.block(INFER)) + frame(Kind.DATA, 0, 1) * MANY
        ),
        {Code.ENHANCE_YOUR_CALM},
    ),
    "data on a closed stream": (
        lambda client: (
            frame(Kind.HEADERS, END_HEADERS | END_STREAM, 1, client.block("/no/Method"))
            + frame(Kind.DATA, 0, 1, b"x") * MANY
        ),
        {Code.ENHANCE_YOUR_CALM},
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_end_the_connection(unharmed: ServerProcess, name: str) -> None:
    """Frames that bring no work are borne for a while; then the connection ends with the code that says so."""
    flood, codes = FLOODS[name]
    with connected(unharmed.grpc_port) as client:
        client.send(flood(client))
        assert client.goodbye() in codes | {None}
        client.request(2_000_001)
        with pytest.raises(AssertionError):
            client.answer(2_000_001, 1)


WRONG: dict[str, tuple[Callable[[RawClient], bytes], int]] = {
    "even stream": (lambda c: frame(Kind.HEADERS, END_HEADERS, 2, c.block()), Code.PROTOCOL_ERROR),
    "stream zero": (lambda c: frame(Kind.HEADERS, END_HEADERS, 0, c.block()), Code.PROTOCOL_ERROR),
    "data on idle": (lambda _: frame(Kind.DATA, 0, 5, b"x"), Code.PROTOCOL_ERROR),
    "reset of idle": (lambda _: reset(5, Code.CANCEL), Code.PROTOCOL_ERROR),
    "window of idle": (lambda _: window_update(5, 1), Code.PROTOCOL_ERROR),
    "window overflow": (lambda _: window_update(0, (1 << 31) - 1), Code.FLOW_CONTROL_ERROR),
    "window of nothing": (lambda _: window_update(0, 0), Code.PROTOCOL_ERROR),
    "settings window": (lambda _: settings_frame([(4, 1 << 31)]), Code.FLOW_CONTROL_ERROR),
    "settings frame size": (lambda _: settings_frame([(5, 5)]), Code.PROTOCOL_ERROR),
    "settings push": (lambda _: settings_frame([(2, 2)]), Code.PROTOCOL_ERROR),
    "settings length": (lambda _: frame(Kind.SETTINGS, 0, 0, b"12345"), Code.FRAME_SIZE_ERROR),
    "settings ack with payload": (lambda _: frame(Kind.SETTINGS, 1, 0, bytes(6)), Code.FRAME_SIZE_ERROR),
    "settings of a stream": (lambda _: frame(Kind.SETTINGS, 0, 1), Code.PROTOCOL_ERROR),
    "ping length": (lambda _: frame(Kind.PING, 0, 0, bytes(7)), Code.FRAME_SIZE_ERROR),
    "ping of a stream": (lambda _: frame(Kind.PING, 0, 1, bytes(8)), Code.PROTOCOL_ERROR),
    "reset length": (
        lambda c: frame(Kind.HEADERS, END_HEADERS, 1, c.block(INFER)) + frame(Kind.RST_STREAM, 0, 1, b"1"),
        Code.FRAME_SIZE_ERROR,
    ),
    "window length": (lambda _: frame(Kind.WINDOW_UPDATE, 0, 0, b"123"), Code.FRAME_SIZE_ERROR),
    "push": (lambda _: frame(Kind.PUSH_PROMISE, 0, 1, bytes(4)), Code.PROTOCOL_ERROR),
    "goaway of a stream": (lambda _: frame(Kind.GOAWAY, 0, 1, bytes(8)), Code.PROTOCOL_ERROR),
    "priority of zero": (lambda _: frame(Kind.PRIORITY, 0, 0, bytes(5)), Code.PROTOCOL_ERROR),
    "continuation of nothing": (lambda _: frame(Kind.CONTINUATION, 0, 1, b""), Code.PROTOCOL_ERROR),
    "interrupted block": (
        lambda _: frame(Kind.HEADERS, 0, 1, b"") + frame(Kind.PING, 0, 0, bytes(8)),
        Code.PROTOCOL_ERROR,
    ),
    "large frame": (lambda _: frame(Kind.DATA, 0, 1, bytes(16_385)), Code.FRAME_SIZE_ERROR),
    "padding": (lambda c: frame(Kind.HEADERS, END_HEADERS | 8, 1, b"\xff" + c.block()), Code.PROTOCOL_ERROR),
    "broken hpack": (
        lambda _: frame(Kind.HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff"),
        Code.COMPRESSION_ERROR,
    ),
    "stream again": (
        lambda c: (
            frame(Kind.HEADERS, END_HEADERS | END_STREAM, 3, c.block("/no/Method"))
            + frame(Kind.HEADERS, END_HEADERS | END_STREAM, 1, c.block())
        ),
        Code.PROTOCOL_ERROR,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_broken_frames_end_the_connection(unharmed: ServerProcess, name: str) -> None:
    """Each with the code that RFC 9113 asks for."""
    wrong, code = WRONG[name]
    with connected(unharmed.grpc_port) as client:
        client.send(wrong(client))
        assert client.goodbye() == code


@pytest.mark.parametrize(
    "more",
    [
        [("Upper", "x")],
        [("connection", "close")],
        [("te", "gzip")],
        [(":path", "/again")],
        [(":unknown", "x")],
    ],
)
def test_broken_headers_end_the_stream(unharmed: ServerProcess, more: list[tuple[str, str]]) -> None:
    """Malformed requests are reset; the connection goes on, and its header table with it."""
    with connected(unharmed.grpc_port) as client:
        client.request(1, LIVE, b"", *more)
        assert client.answer(1).reset == Code.PROTOCOL_ERROR
        client.request(3)
        assert client.answer(3).status == 0


@pytest.mark.parametrize(
    "greeting", [b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", bytes(99)]
)
def test_other_protocols_are_shown_the_door(unharmed: ServerProcess, greeting: bytes) -> None:
    """HTTP/1.1, TLS and garbage on the gRPC port."""
    with connected(unharmed.grpc_port, preface=False) as client:
        client.send(greeting)
        assert client.goodbye(3) == Code.PROTOCOL_ERROR


@pytest.mark.parametrize("said", [b"", PREFACE[:10], PREFACE])
def test_a_connection_that_says_nothing_is_closed(unharmed: ServerProcess, said: bytes) -> None:
    """Half-open connections cost their place for the header timeout and no longer."""
    with connected(unharmed.grpc_port, preface=False) as client:
        client.send(said)
        assert client.goodbye(4) == Code.SETTINGS_TIMEOUT
        assert client.socket.recv(1) == b""


def test_a_request_that_never_ends_has_a_deadline(unharmed: ServerProcess) -> None:
    """Headers, and then nothing: DEADLINE_EXCEEDED."""
    with connected(unharmed.grpc_port) as client:
        client.send(frame(Kind.HEADERS, END_HEADERS, 1, client.block(INFER)))
        assert client.answer(1).status == 4


def test_a_caller_that_does_not_read_is_given_up(unharmed: ServerProcess) -> None:
    """Windows of nothing, and hundreds of answers that wait: bounded, and ended at their deadline."""
    with connected(unharmed.grpc_port, own=((4, 0),)) as client:
        body = message().SerializeToString()
        for stream in range(1, 1001, 2):
            client.request(stream, INFER, body)
        resets = {one.stream for one in client.frames(4) if one.kind == Kind.RST_STREAM}
        assert len(resets) == 500


def test_more_streams_than_allowed_are_refused_one_by_one(unharmed: ServerProcess) -> None:
    """REFUSED_STREAM says that nothing was done and the request may be sent again."""
    with connected(unharmed.grpc_port) as client:
        for stream in range(1, 2401, 2):
            client.send(frame(Kind.HEADERS, END_HEADERS, stream, client.block(INFER)))
        codes = [
            struct.unpack(">L", one.payload)[0] for one in client.frames(1) if one.kind == Kind.RST_STREAM
        ]
        assert codes
        assert set(codes) == {Code.REFUSED_STREAM}


def test_idle_connections_cost_little(unharmed: ServerProcess) -> None:
    """Five hundred that introduced themselves and wait."""
    clients = [RawClient(unharmed.grpc_port) for _ in range(500)]
    with connected(unharmed.grpc_port) as client:
        client.request(1)
        assert client.answer(1).status == 0
    for one in clients:
        one.close()


def test_a_storm_of_connections_passes(unharmed: ServerProcess) -> None:
    """Two thousand that are opened and reset at once."""
    for _ in range(2000):
        storm = socket.create_connection((HOST, unharmed.grpc_port))
        storm.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        storm.close()


kinds = st.integers(0, 12)
frames = st.tuples(
    kinds,
    st.sampled_from([0, 1, 4, 5, 8, 0x20, 0x2D]) | st.integers(0, 255),
    st.integers(0, 9),
    st.binary(max_size=40),
)
HEAD = [(":method", "POST"), (":scheme", "http"), (":path", LIVE), ("content-type", "application/grpc")]
good = st.sampled_from(
    [
        frame(Kind.HEADERS, END_HEADERS, stream, header_block(HEAD))
        + frame(Kind.DATA, END_STREAM, stream, prefixed(b""))
        for stream in (1, 3, 5, 7)
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(frames | good, max_size=12), st.binary(max_size=20))
def test_any_sequence_of_frames_is_survived(server: ServerProcess, sent: list[Any], tail: bytes) -> None:
    """Legal, mutated and random frames: the server goes on answering others."""
    with connected(server.grpc_port) as client:
        client.send(b"".join(one if isinstance(one, bytes) else frame(*one) for one in sent) + tail)
    with connected(server.grpc_port) as client:
        client.request(1)
        assert client.answer(1).status == 0


def test_no_traceback_was_logged(server: ServerProcess) -> None:
    """None of the above surprised the server."""
    time.sleep(0.1)
    poll(lambda: server.status_of("/v2/health/live") == 200)
    assert "Traceback" not in server.log()
