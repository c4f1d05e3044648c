"""What the gRPC over HTTP/2 document says of requests and answers, by frames of our own."""

from __future__ import annotations

import gzip
import zlib

import pytest

from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Headers
from tests.hostile_http2.calls import (
    DEADLINE_EXCEEDED,
    OK,
    RESOURCE_EXHAUSTED,
    UNIMPLEMENTED,
    check,
    head,
    infer,
    prefixed,
    response,
)
from tests.hostile_http2.conftest import Connect

pytestmark = pytest.mark.every_front

BODY = infer()


@pytest.mark.parametrize(
    ("timeout", "most_ms"),
    [("1H", 4000), ("1M", 4000), ("3S", 3000), ("700m", 700), ("900000u", 900), ("99999999n", 100)],
)
def test_timeouts_are_understood(connect: Connect, timeout: str, most_ms: int) -> None:
    """grpc-timeout counts in each of its units, within what the settings allow."""
    peer = connect()
    peer.ask(1, BODY, head(("grpc-timeout", timeout)))
    remaining_ms = response(peer.answer(1)).parameters["remaining_ms"].int64_param
    assert most_ms / 4 < remaining_ms <= most_ms


@pytest.mark.parametrize("timeout", ["0n", "1n", "50m"])
def test_timeouts_end_the_work(connect: Connect, timeout: str) -> None:
    """A call ends at the deadline that its caller gave."""
    peer = connect()
    peer.ask(1, infer(sleep_s=30), head(("grpc-timeout", timeout)))
    answer = peer.answer(1)
    assert answer.grpc_status == DEADLINE_EXCEEDED or answer.reset == frames.Code.CANCEL


@pytest.mark.parametrize(
    "timeout", ["", "5", "m", "-1S", "123456789S", "1X", "1.5S", " 5S", "0x5S", "5s", "٣S"]
)
def test_malformed_timeouts_do_not_hang(connect: Connect, timeout: str) -> None:
    """What is no timeout is ignored or refused, as the document leaves open."""
    peer = connect()
    peer.ask(1, BODY, head(("grpc-timeout", timeout)))
    answer = peer.answer(1)
    assert answer.grpc_status == OK or peer.refused(1)


@pytest.mark.parametrize(
    "path", ["/inference.GRPCInferenceService/Nothing", "/nothing.Service/ModelInfer", "/", "/x"]
)
def test_unknown_methods_are_unimplemented(connect: Connect, path: str) -> None:
    """A method that is not here is UNIMPLEMENTED, as a status of gRPC."""
    peer = connect()
    peer.ask(1, BODY, head(path=path))
    answer = peer.answer(1)
    assert (answer.http_status, answer.grpc_status) == ("200", UNIMPLEMENTED)


@pytest.mark.parametrize("path", ["*", "inference.GRPCInferenceService/ModelInfer", "http://a/b"])
def test_paths_that_are_none_are_refused(connect: Connect, path: str) -> None:
    """A path that does not begin with a slash is no method."""
    peer = connect()
    peer.ask(1, BODY, head(path=path))
    assert peer.refused(1)


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc+proto", "application/grpc; a=b"])
def test_kinds_of_grpc_are_served(connect: Connect, kind: str) -> None:
    """The content types of gRPC are all answered."""
    peer = connect()
    peer.ask(1, BODY, head(("content-type", kind)))
    check(peer.answer(1))


def test_errors_are_told_in_trailers(connect: Connect) -> None:
    """A refusal is HTTP 200 with status and message in the last headers, whose message is percent-encoded."""
    peer = connect()
    other = BODY.replace(b"\x04echo", "\x04é%\n".encode(), 1)
    peer.ask(1, other, head())
    answer = peer.answer(1)
    assert answer.heads[0][0] == (":status", "200")
    assert ("content-type", "application/grpc") in answer.heads[0]
    assert dict(answer.heads[-1])["grpc-status"] == "5"
    assert answer.data == b""
    told = answer.value("grpc-message") or ""
    assert told.isascii()
    assert told.isprintable()
    assert "%C3%A9%25" in told or "\\xe9%25" in told or "%C3%A9%" in told


def test_good_answers_have_the_form_of_grpc(connect: Connect) -> None:
    """Headers, one message, trailers: statuses where they belong, names in lower case."""
    peer = connect()
    peer.ask(1, BODY, head())
    check(peer.answer(1))
    first, last = peer.answers[1].heads
    assert dict(first)[":status"] == "200"
    assert dict(first)["content-type"].startswith("application/grpc")
    assert "grpc-status" not in dict(first)
    assert dict(last)["grpc-status"] == "0"
    assert ":status" not in dict(last)
    assert all(name == name.lower() for name, _ in first + last)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_messages_are_unpacked_or_refused(connect: Connect, encoding: str) -> None:
    """A compressed message is answered as if it were not, or UNIMPLEMENTED."""
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding]
    peer = connect()
    peer.ask(1, prefixed(pack(BODY[5:]), compressed=1), head(("grpc-encoding", encoding)))
    answer = peer.answer(1)
    if answer.grpc_status != UNIMPLEMENTED:
        check(answer)


UNFINISHED = {
    "no message": b"",
    "part of a prefix": BODY[:3],
    "prefix alone": BODY[:5],
    "part of a message": BODY[:-1],
}
UNREADABLE: dict[str, tuple[bytes, int, str]] = {
    "compressed without a word": (gzip.compress(BODY[5:]), 1, ""),
    "compressed as identity": (BODY[5:], 1, "identity"),
    "unknown encoding": (BODY[5:], 1, "snail"),
    "not gzip": (BODY[5:], 1, "gzip"),
    "gzip cut off": (gzip.compress(BODY[5:])[:-9], 1, "gzip"),
    "flag of no meaning": (BODY[5:], 7, ""),
}


@pytest.mark.falls_short("grpcio", "grpc.aio leaves a call without a message unanswered for ever")
@pytest.mark.parametrize("case", UNFINISHED)
def test_unfinished_bodies_are_refused(connect: Connect, case: str) -> None:
    """A request that ends before its message does is told so, and the connection lives on."""
    peer = connect()
    peer.ask(1, UNFINISHED[case], head())
    assert peer.refused(1, limit_s=1), peer.answers[1]
    peer.ask(3, BODY, head())
    check(peer.answer(3))


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_bodies_are_refused(connect: Connect, case: str) -> None:
    """What cannot be unpacked ends with an error, never with silence, and the connection lives on."""
    content, flag, encoding = UNREADABLE[case]
    peer = connect()
    more = [("grpc-encoding", encoding)] if encoding else []
    peer.ask(1, prefixed(content, compressed=flag), head(*more))
    assert peer.refused(1), peer.answers[1]
    peer.ask(3, BODY, head())
    check(peer.answer(3))


@pytest.mark.parametrize("announced", [(1 << 20) + 1, 2**31, 2**32 - 1])
def test_messages_over_the_limit_are_refused_by_their_prefix(connect: Connect, announced: int) -> None:
    """A prefix that announces too much is RESOURCE_EXHAUSTED before the rest has come."""
    peer = connect()
    peer.send(frames.headers(1, peer.encoder.encode(head())))
    peer.send(frames.data(1, prefixed(b"some", size=announced)))
    assert peer.answer(1).grpc_status == RESOURCE_EXHAUSTED


def test_a_compression_bomb_is_refused(connect: Connect) -> None:
    """A small message that unpacks to 256 MiB is refused, in bounded memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    peer = connect()
    peer.ask(1, prefixed(bomb, compressed=1), head(("grpc-encoding", "gzip")))
    assert peer.answer(1).grpc_status in {RESOURCE_EXHAUSTED, UNIMPLEMENTED}


def test_two_messages_end_a_unary_call(connect: Connect) -> None:
    """More than one message for a unary method is answered somehow, once, and harms nobody."""
    peer = connect()
    peer.ask(1, BODY + BODY, head())
    answer = peer.answer(1)
    assert answer.over
    assert len(answer.data) < 2 * len(BODY) + 1000
    peer.ask(3, BODY, head())
    check(peer.answer(3))


@pytest.mark.falls_short("grpcio", "gRPC's core serves any content type; the document says SHOULD")
@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_other_content_types_are_refused(connect: Connect, kind: str) -> None:
    """What is no gRPC is HTTP 415, or an error of gRPC."""
    peer = connect()
    peer.ask(1, BODY, head(("content-type", kind)))
    assert peer.refused(1)
    assert peer.answers[1].http_status == "415" or peer.answers[1].grpc_status


@pytest.mark.parametrize("te", [[], [("te", "")]])
def test_te_trailers_may_be_left_out(connect: Connect, te: Headers) -> None:
    """Te: trailers is there to find bad proxies; without it a caller is answered, well or not."""
    peer = connect()
    pairs = [pair for pair in head(*te) if pair[0] != "te"]
    peer.ask(1, BODY, pairs)
    assert peer.answer(1).over


@pytest.mark.parametrize("method", ["GET", "PUT", "CONNECT", "post"])
def test_other_methods_are_refused(connect: Connect, method: str) -> None:
    """GRPC calls are POST."""
    peer = connect()
    peer.ask(1, BODY, head(method=method))
    assert peer.refused(1), peer.answers[1]
