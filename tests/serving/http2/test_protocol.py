from __future__ import annotations

import gzip
import struct
import time
from collections.abc import Iterator

import pytest

from serving.http2.frames import ACK, END_HEADERS, END_STREAM, PADDED, PRIORITY, Kind, window_update
from tests.serving.http2.raw_client import INFER, LIVE, RawClient, connected, frame, prefixed, settings_frame
from tests.serving.server_process import ServerProcess, running
from tests.serving.v2_requests import message, strings

ECHO = ("tests.serving.echo_service",)
LIVE_ANSWER = prefixed(b"\x08\x01")


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """An echo service on the thin front."""
    with running(ECHO) as process:
        yield process


@pytest.fixture
def client(server: ServerProcess) -> Iterator[RawClient]:
    """A connection of its own for each test."""
    with connected(server.grpc_port) as one:
        yield one


def test_a_request_in_pieces_is_one_request(client: RawClient) -> None:
    """Padding, priority, CONTINUATION, a message split in its prefix, and an empty last DATA frame."""
    block = client.block(LIVE)
    padded = bytes([3]) + bytes(5) + block[:4] + bytes(3)
    client.send(frame(Kind.HEADERS, PADDED | PRIORITY, 1, padded))
    client.send(
        frame(Kind.CONTINUATION, 0, 1, block[4:10]) + frame(Kind.CONTINUATION, END_HEADERS, 1, block[10:])
    )
    body = prefixed(b"")
    for part in (body[:2], body[2:]):
        client.send(frame(Kind.DATA, PADDED, 1, bytes([2]) + part + bytes(2)))
    client.send(frame(Kind.DATA, END_STREAM, 1))
    answer = client.answer(1)
    assert (answer.headers[":status"], answer.status, answer.message) == ("200", 0, LIVE_ANSWER)


def test_requests_interleave(client: RawClient) -> None:
    """Two requests whose frames alternate are both answered, and byte by byte is fine too."""
    body = frame(Kind.DATA, END_STREAM, 1, prefixed(b"")) + frame(Kind.DATA, END_STREAM, 3, prefixed(b""))
    heads = [frame(Kind.HEADERS, END_HEADERS, stream, client.block(LIVE)) for stream in (1, 3)]
    for place in range(len(whole := b"".join(heads) + body)):
        client.send(whole[place : place + 1])
    answers = {one.stream for one in client.frames(1) if one.kind == Kind.HEADERS and one.flags & END_STREAM}
    assert answers == {1, 3}


def test_pings_and_settings_are_answered(client: RawClient) -> None:
    """A PING comes back with its bytes, SETTINGS are acknowledged, unknown frames and settings are ignored."""
    client.send(frame(Kind.PING, 0, 0, b"12345678") + settings_frame([(99, 7)]) + frame(77, 255, 5, b"?"))
    client.request(1)
    seen = [(one.kind, one.flags, one.payload) for one in client.frames(0.5)]
    assert (Kind.PING, ACK, b"12345678") in seen
    assert [(kind, flags) for kind, flags, _ in seen].count((Kind.SETTINGS, ACK)) == 2
    assert any(kind == Kind.DATA and payload == LIVE_ANSWER for kind, _, payload in seen)


def big_message(size: int) -> bytes:
    """An echo request whose answer has at least so many bytes."""
    return message(names=strings(bytes(size), b"")).SerializeToString()


def test_answers_wait_for_the_stream_window(server: ServerProcess) -> None:
    """No byte more than the window; the rest comes as the window is opened, for this stream and no other."""
    request = message()
    with connected(server.grpc_port, own=((4, 10),)) as client:
        client.request(1, INFER, request.SerializeToString())
        first = b"".join(one.payload for one in client.frames(0.5) if one.kind == Kind.DATA)
        assert len(first) == 10
        client.send(window_update(1, 5))
        second = b"".join(one.payload for one in client.frames(0.5) if one.kind == Kind.DATA)
        assert len(second) == 5
        client.send(settings_frame([(4, 100_000)]))
        rest = client.answer(1)
        size = struct.unpack(">L", (first + second)[1:5])[0]
        assert len(first + second + rest.message) == size + 5
        assert rest.status == 0


def test_answers_wait_for_the_connection_window(server: ServerProcess) -> None:
    """65,535 bytes for all streams together until the connection's window is opened."""
    with connected(server.grpc_port, own=((4, 1 << 20),)) as client:
        for stream in (1, 3):
            client.send_in_parts(stream, INFER, big_message(50_000))
        seen = list(client.frames(0.7))
        came = [one for one in seen if one.kind == Kind.DATA]
        assert sum(len(one.payload) for one in came) == 65_535
        assert max(len(one.payload) for one in came) <= 16_384
        client.send(window_update(0, 1 << 20))
        seen += client.frames(0.7)
        ended = {one.stream for one in seen if one.kind == Kind.HEADERS and one.flags & END_STREAM}
        assert ended == {1, 3}
        assert sum(len(one.payload) for one in seen if one.kind == Kind.DATA) > 100_000


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ([("grpc-timeout", "5S")], 0, ""),
        ([("grpc-timeout", "99999999n")], 0, ""),
        ([("grpc-timeout", "5 seconds")], 3, "grpc-timeout"),
        ([("grpc-timeout", "1n")], 4, "deadline"),
        ([("grpc-encoding", "br")], 12, "grpc-encoding"),
    ],
)
def test_headers_of_grpc(client: RawClient, more: list[tuple[str, str]], status: int, words: str) -> None:
    """Timeouts in every unit and malformed ones, encodings that nobody knows."""
    block = client.block(LIVE, *more)
    flag = b"\1" if status == 12 else b"\0"
    body = flag + struct.pack(">L", 0)
    client.send(frame(Kind.HEADERS, END_HEADERS, 1, block))
    if status == 4:
        time.sleep(0.1)
    client.send(frame(Kind.DATA, END_STREAM, 1, body))
    answer = client.answer(1)
    assert answer.status == status
    assert words in answer.headers.get("grpc-message", "")


def test_a_compressed_message_is_unpacked(client: RawClient) -> None:
    """Gzip as grpcio sends it; what is not gzip is the caller's fault."""
    packed = gzip.compress(message().SerializeToString())
    for stream, body, status in ((1, packed, 0), (3, b"not gzip", 3)):
        client.send(frame(Kind.HEADERS, END_HEADERS, stream, client.block(INFER, ("grpc-encoding", "gzip"))))
        client.send(frame(Kind.DATA, END_STREAM, stream, b"\1" + struct.pack(">L", len(body)) + body))
        assert client.answer(stream).status == status


@pytest.mark.parametrize("body", [b"", b"\0", prefixed(b"") * 2, b"\0\0\0\0\x09abc"])
def test_a_broken_body_is_the_callers_fault(client: RawClient, body: bytes) -> None:
    """No message, half a prefix, two messages, a message cut off: INVALID_ARGUMENT, never INTERNAL."""
    client.send(frame(Kind.HEADERS, END_HEADERS, 1, client.block(INFER)))
    client.send(frame(Kind.DATA, END_STREAM, 1, body))
    assert client.answer(1).status == 3


def test_an_announced_size_is_refused_before_it_comes(client: RawClient) -> None:
    """The prefix says 2 GiB: the call ends at once, and the stream is reset so that nobody sends it."""
    client.send(frame(Kind.HEADERS, END_HEADERS, 1, client.block(INFER)))
    client.send(frame(Kind.DATA, 0, 1, b"\0" + struct.pack(">L", 1 << 31)))
    assert client.answer(1).status == 8
    assert any(one.kind == Kind.RST_STREAM for one in client.frames(0.5))
    # What was on its way is ignored.
    client.send(frame(Kind.DATA, END_STREAM, 1, b"more"))
    client.request(3)
    assert client.answer(3).status == 0


def test_other_requests_are_refused_in_their_own_terms(client: RawClient) -> None:
    """No such method: UNIMPLEMENTED. No gRPC at all: HTTP 415. No POST: the stream is reset."""
    client.request(1, "/no.such/Method")
    assert client.answer(1).status == 12
    plain = client.encoder.encode([(":method", "POST"), (":scheme", "http"), (":path", LIVE)])
    client.send(frame(Kind.HEADERS, END_HEADERS | END_STREAM, 3, plain))
    assert client.answer(3).headers[":status"] == "415"
    get = client.encoder.encode([(":method", "GET"), (":scheme", "http"), (":path", LIVE)])
    client.send(frame(Kind.HEADERS, END_HEADERS | END_STREAM, 5, get))
    assert client.answer(5).reset == 1
