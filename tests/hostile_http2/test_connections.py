"""What a connection owes its peer beside answers: greetings, pings, health, and an orderly end."""

from __future__ import annotations

import signal
import time
from contextlib import closing

import httpx
import pytest
from grpc_health.v1 import health_pb2

from load_tests.waiting import poll
from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Attacker
from tests.hostile_http2.calls import OK, check, head, infer, prefixed
from tests.hostile_http2.conftest import ECHO, LIMITS, Connect
from tests.hostile_http2.frames import Code, Kind, Setting
from tests.serving.fronts import ATTACKED
from tests.serving.server_process import ServerProcess, running

pytestmark = pytest.mark.every_front(*ATTACKED)

HEALTH = "/grpc.health.v1.Health/"
SERVING = prefixed(health_pb2.HealthCheckResponse(status=1).SerializeToString())
NOT_SERVING = prefixed(health_pb2.HealthCheckResponse(status=2).SerializeToString())


def test_the_server_introduces_itself(connect: Connect) -> None:
    """SETTINGS come first, with what a peer has to know of streams and headers."""
    peer = connect()
    assert (peer.seen[0].kind, peer.seen[0].flags, peer.seen[0].stream) == (Kind.SETTINGS, 0, 0)
    assert peer.settings[Setting.MAX_CONCURRENT_STREAMS] == int(LIMITS["grpc_max_streams"])
    assert peer.settings[Setting.MAX_HEADER_LIST_SIZE] <= 16 << 10


def test_settings_are_acknowledged_each(connect: Connect) -> None:
    """Every SETTINGS frame is acknowledged, in order with what it changes."""
    peer = connect()
    peer.send(*[frames.settings((Setting.MAX_CONCURRENT_STREAMS, number)) for number in range(9)])
    peer.until(lambda: peer.settings_acks == 10, "ten acknowledgements")


def test_pings_come_back(connect: Connect) -> None:
    """A PING is answered by its own bytes, also between the frames of a request; an answer to none is ignored."""
    peer = connect()
    body = infer()
    peer.send(frames.ping(b"\0\xff\1\xfe\2\xfd\3\xfc"), frames.ping(b"nobody's", ack=True))
    peer.send(frames.headers(1, peer.encoder.encode(head())), frames.ping(b"between "))
    peer.send(frames.data(1, body[:9]), frames.ping(b"again.. "), frames.data(1, body[9:], end=True))
    check(peer.answer(1))
    peer.until(lambda: len(peer.pongs) == 3, "three pongs")
    assert peer.pongs == [b"\0\xff\1\xfe\2\xfd\3\xfc", b"between ", b"again.. "]


def test_health_is_checked_and_watched(connect: Connect, server: ServerProcess) -> None:
    """Check answers once; Watch answers at once and at each change, until the caller leaves."""
    peer = connect()
    peer.ask(1, prefixed(b""), head(path=f"{HEALTH}Check"))
    assert (peer.answer(1).grpc_status, peer.answers[1].data) == (OK, SERVING)
    peer.ask(3, prefixed(b"\x0a\x04echo"), head(path=f"{HEALTH}Watch"))
    peer.until(lambda: peer.answers[3].data == SERVING, "serving")
    for ready, told in ((False, SERVING + NOT_SERVING), (True, SERVING + NOT_SERVING + SERVING)):
        httpx.post(f"{server.rest_url}/v2/models/echo/infer", json=_readiness(ready=ready))
        peer.until(lambda told=told: peer.answers[3].data == told, "the change")
    assert not peer.answers[3].over
    peer.send(frames.reset(3))
    peer.ask(5, infer(), head())
    check(peer.answer(5))


def _readiness(*, ready: bool) -> dict[str, object]:
    inputs = [
        {"name": "values", "datatype": "FP32", "shape": [0, 2], "data": []},
        {"name": "ids", "datatype": "INT64", "shape": [0], "data": []},
        {"name": "names", "datatype": "BYTES", "shape": [0], "data": []},
    ]
    return {"inputs": inputs, "parameters": {"ready": ready}}


def inside(server: ServerProcess, count: int) -> bool:
    """Whether so many calls of gRPC are being worked on."""
    return f'dns_risk_in_flight{{protocol="grpc"}} {count}.0' in httpx.get(f"{server.rest_url}/metrics").text


@pytest.mark.parametrize("leaving", ["reset", "goaway and close", "close"])
def test_callers_who_leave_cost_nothing_further(
    connect: Connect, server: ServerProcess, leaving: str
) -> None:
    """Work for a stream or connection that is gone ends at once."""
    peer = connect()
    for stream in (1, 3, 5):
        peer.ask(stream, infer(sleep_s=3), head())
    poll(lambda: inside(server, 3))
    if leaving == "reset":
        peer.send(*map(frames.reset, (1, 3, 5)))
    elif leaving == "goaway and close":
        peer.send(frames.frame(Kind.GOAWAY, 0, 0, bytes(8)))
    if leaving != "reset":
        peer.close()
    poll(lambda: inside(server, 0), limit_s=1.5)


def test_goaway_of_the_caller_lets_its_calls_end(connect: Connect) -> None:
    """A caller that announces its leave is still answered."""
    peer = connect()
    peer.ask(1, infer(sleep_s=0.3), head())
    peer.send(frames.frame(Kind.GOAWAY, 0, 0, bytes(8) + b"thanks"))
    check(peer.answer(1))


def test_draining_answers_what_came_and_refuses_what_comes(front_settings: dict[str, str]) -> None:
    """GOAWAY first; calls under way are answered; calls after the last GOAWAY are not worked on; then the end."""
    with running(ECHO, LIMITS | front_settings) as server, closing(Attacker(server.grpc_port)) as peer:
        peer.greet()
        peer.ask(1, infer(sleep_s=1.5), head())
        poll(lambda: inside(server, 1))
        server.signal(signal.SIGTERM)
        peer.until(lambda: bool(peer.farewells), "GOAWAY")
        peer.read(lambda: peer.farewells[-1][0] == 1, limit_s=1)
        assert peer.farewells[-1] == (1, Code.NO_ERROR)
        peer.ask(3, infer("late"), head())
        check(peer.answer(1))
        peer.read(lambda: peer.closed)
        assert peer.closed
        assert peer.answers[3].grpc_status is None
        assert server.wait() == 0


def test_draining_ends_idle_and_silent_connections_at_once(front_settings: dict[str, str]) -> None:
    """A stop does not wait for connections without calls, introduced or not."""
    with (
        running(ECHO, LIMITS | front_settings) as server,
        closing(Attacker(server.grpc_port)) as idle,
        closing(Attacker(server.grpc_port)),
    ):
        idle.greet()
        began_s = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert time.monotonic() - began_s < 4
        idle.read(lambda: idle.closed, limit_s=2)
        assert idle.farewells[0][1] == Code.NO_ERROR
