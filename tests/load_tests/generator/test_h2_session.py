"""The session against frames that a peer might send; no sockets."""

import hpack
import pytest
from tritonclient.grpc import service_pb2

from load_tests.generator.answers import LOST, OK
from load_tests.generator.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    PREFACE,
    FrameReader,
    Kind,
    Setting,
    frame,
    header_block,
    settings_frame,
    window_update,
)
from load_tests.generator.grpc_request import GrpcRequest, grpc_request_of, prefixed
from load_tests.generator.h2_session import H2Session

LARGE = grpc_request_of(bytes(150_000), "peer:1")
SMALL = grpc_request_of(b"abc", "peer:1")
GOOD = header_block([(b"grpc-status", b"0")])


class Peer:
    """The other side of a session: what it was sent, and what the session told of it."""

    def __init__(self, *settings: tuple[int, int]) -> None:
        self.told: list[tuple[float, str]] = []
        self.session = H2Session(lambda intended_s, ended: self.told.append((intended_s, ended)))
        self._reader = FrameReader()
        preface = self.session.outgoing()
        assert preface.startswith(PREFACE)
        self._reader.feed(preface[len(PREFACE) :])
        self.session.receive(settings_frame(dict(settings)))
        assert [kind for kind, _, _, _ in self.sent()] == [Kind.SETTINGS]

    def sent(self) -> list[tuple[int, int, int, bytes]]:
        """Frames since the last look."""
        return self._reader.feed(self.session.outgoing())

    def sent_bytes(self) -> int:
        """Bytes of DATA since the last look."""
        return sum(len(payload) for kind, _, _, payload in self.sent() if kind == Kind.DATA)

    def answer(self, stream: int, tail: bytes = GOOD, body: bytes = b"") -> None:
        """Headers, data and trailers."""
        head = frame(Kind.HEADERS, END_HEADERS, stream, header_block([(b":status", b"200")]))
        data = frame(Kind.DATA, 0, stream, body) if body else b""
        self.session.receive(head + data + frame(Kind.HEADERS, END_HEADERS | END_STREAM, stream, tail))


def test_a_request_is_whole() -> None:
    """The frames of a request carry its headers once and its message in frames of at most 16 KiB."""
    peer = Peer((Setting.INITIAL_WINDOW_SIZE, 1 << 20))
    peer.session.receive(window_update(0, 1 << 20))
    peer.session.send(LARGE, 1.0)
    head, *data = peer.sent()
    assert head[:3] == (Kind.HEADERS, END_HEADERS, 1)
    assert dict(hpack.Decoder().decode(head[3]))[":path"] == "/inference.GRPCInferenceService/ModelInfer"
    assert b"".join(payload for _, _, _, payload in data) == prefixed(bytes(150_000))
    assert max(len(payload) for _, _, _, payload in data) == 16_384
    assert [flags for _, flags, _, _ in data] == [0] * (len(data) - 1) + [END_STREAM]


def test_no_more_is_sent_than_the_windows_hold() -> None:
    """A large request stops at the stream's window and at the connection's, and goes on when each widens."""
    peer = Peer()
    peer.session.send(LARGE, 1.0)
    assert peer.sent_bytes() == 65_535
    peer.session.receive(window_update(1, 10_000))
    assert peer.sent_bytes() == 0
    peer.session.receive(window_update(0, 100_000))
    assert peer.sent_bytes() == 10_000
    peer.session.receive(settings_frame({Setting.INITIAL_WINDOW_SIZE: 1 << 20}))
    # The message and its prefix of five bytes.
    assert peer.sent_bytes() == 150_005 - 65_535 - 10_000
    peer.answer(1)
    assert peer.told == [(1.0, OK)]


def test_a_held_request_does_not_hold_others() -> None:
    """Streams behind one whose own window is used up go on."""
    peer = Peer((Setting.INITIAL_WINDOW_SIZE, 1000))
    peer.session.receive(window_update(0, 1 << 20))
    peer.session.send(LARGE, 1.0)
    peer.session.send(SMALL, 2.0)
    assert [(stream, len(payload)) for kind, _, stream, payload in peer.sent() if kind == Kind.DATA] == [
        (1, 1000),
        (3, 8),
    ]


def test_no_more_streams_are_opened_than_allowed() -> None:
    """Requests past the peer's limit wait until another is answered."""
    peer = Peer((Setting.MAX_CONCURRENT_STREAMS, 2))
    for number in range(3):
        peer.session.send(SMALL, float(number))
    assert {stream for _, _, stream, _ in peer.sent()} == {1, 3}
    peer.answer(3)
    assert {stream for _, _, stream, _ in peer.sent()} == {5}
    assert peer.told == [(1.0, OK)]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([(b"grpc-status", b"0")], OK),
        ([(b"grpc-status", b"8"), (b"grpc-message", b"full")], "grpc-status 8: full"),
        ([(b":status", b"503")], "HTTP status 503"),
        ([(b":status", b"200")], "no grpc-status"),
    ],
)
def test_an_answer_is_its_status(headers: list[tuple[bytes, bytes]], told: str) -> None:
    """Only grpc-status 0 is a success; an answer without one is none."""
    peer = Peer()
    peer.session.send(SMALL, 1.0)
    peer.session.receive(frame(Kind.HEADERS, END_HEADERS | END_STREAM, 1, header_block(headers)))
    assert peer.told == [(1.0, told)]


def test_a_status_may_come_in_pieces() -> None:
    """Trailers that go on in CONTINUATION frames are read at their end."""
    peer = Peer()
    peer.session.send(SMALL, 1.0)
    head = frame(Kind.HEADERS, END_HEADERS, 1, header_block([(b":status", b"200")]))
    peer.session.receive(head + frame(Kind.HEADERS, END_STREAM, 1, GOOD[:4]))
    peer.session.receive(frame(Kind.CONTINUATION, END_HEADERS, 1, GOOD[4:]))
    assert peer.told == [(1.0, OK)]


def test_a_reset_is_a_failure_and_the_stream_is_over() -> None:
    """RST_STREAM ends a request, also one that is held, and what comes for it later is nothing."""
    peer = Peer()
    peer.session.send(LARGE, 1.0)
    peer.session.receive(frame(Kind.RST_STREAM, 0, 1, (11).to_bytes(4, "big")))
    peer.session.receive(window_update(0, 1 << 20))
    peer.answer(1)
    assert peer.told == [(1.0, "stream reset: 11")]
    peer.sent()
    peer.session.send(SMALL, 2.0)
    assert peer.sent_bytes() == 8


def test_a_lost_connection_ends_every_request() -> None:
    """Requests under way and requests that wait are told once each."""
    peer = Peer((Setting.MAX_CONCURRENT_STREAMS, 1))
    peer.session.send(SMALL, 1.0)
    peer.session.send(SMALL, 2.0)
    peer.session.lose()
    assert peer.told == [(1.0, LOST), (2.0, LOST)]


def test_pings_are_answered() -> None:
    """A peer that measures or checks the connection gets its bytes back."""
    peer = Peer()
    peer.session.receive(frame(Kind.PING, 0, 0, b"12345678"))
    assert peer.sent() == [(Kind.PING, ACK, 0, b"12345678")]


def test_goodbye_lets_what_is_under_way_finish() -> None:
    """After GOAWAY an answer still counts."""
    peer = Peer()
    peer.session.send(SMALL, 1.0)
    peer.session.receive(frame(Kind.GOAWAY, 0, 0, bytes(8)))
    peer.answer(1)
    assert (peer.session.going_away, peer.told) == (True, [(1.0, OK)])


def _scores(rows: int) -> bytes:
    response = service_pb2.ModelInferResponse()
    response.outputs.add(name="risk_score", datatype="FP32", shape=[rows])
    return prefixed(response.SerializeToString())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (_scores(3), OK),
        (_scores(2), "2 scores where 3 were due"),
        (b"", "no single uncompressed message"),
        (_scores(3)[:-1], "no single uncompressed message"),
        (prefixed(b"\xff\xff"), "no ModelInferResponse"),
    ],
)
def test_an_answer_of_too_few_scores_is_a_failure(body: bytes, told: str) -> None:
    """Where the number of scores is known, an answer with another is not counted as good."""
    peer = Peer()
    peer.session.send(GrpcRequest(SMALL.block, SMALL.body, scores=3), 1.0)
    peer.answer(1, body=body)
    assert peer.told == [(1.0, told)]
