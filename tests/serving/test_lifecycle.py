from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.grpc import service_pb2_grpc

from load_tests.waiting import poll
from tests.serving.server_process import HOST, ServerProcess, running
from tests.serving.v2_requests import INFER, document, message

pytestmark = pytest.mark.every_front

ECHO = ("tests.serving.echo_service",)


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """Callers that wait for their answers."""
    with ThreadPoolExecutor() as executor:
        yield executor


def work_rest(server: ServerProcess, **parameters: Any) -> httpx.Response:
    """One REST request."""
    return httpx.post(f"{server.rest_url}{INFER}", json=document(parameters=parameters), timeout=30)


def work_grpc(server: ServerProcess, sleep_s: int) -> str:
    """The status of one gRPC request."""
    request = message()
    request.parameters["sleep_s"].int64_param = sleep_s
    with grpc.insecure_channel(server.grpc_target) as channel:
        try:
            service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=30)
        except grpc.RpcError as error:
            code: str = error.code().name
            return code
        return "OK"


def wait_for_work(server: ServerProcess) -> None:
    """Until one request of each protocol is inside."""
    inside = [f'dns_risk_in_flight{{protocol="{protocol}"}} 1.0' for protocol in ("rest", "grpc")]
    poll(lambda: all(line in httpx.get(f"{server.rest_url}/metrics").text for line in inside))


def both_at_work(
    server: ServerProcess, background: ThreadPoolExecutor, sleep_s: int
) -> tuple[Future[httpx.Response], Future[str]]:
    """One request of each protocol that is inside the server now."""
    rest = background.submit(work_rest, server, sleep_s=sleep_s)
    by_grpc = background.submit(work_grpc, server, sleep_s)
    wait_for_work(server)
    return rest, by_grpc


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_accepted_work_is_answered(
    background: ThreadPoolExecutor, number: signal.Signals, front_settings: dict[str, str]
) -> None:
    """A stopping server finishes what is inside, on both protocols, and ends with status 0."""
    with running(ECHO, front_settings) as server:
        rest, by_grpc = both_at_work(server, background, 1)
        server.signal(number)
        assert server.wait() == 0
        assert rest.result().status_code == 200
        assert by_grpc.result() == "OK"
        events = [json.loads(line)["event"] for line in server.log().splitlines()]
        assert events == ["listening", "ready", "stopping", "stopped"]


def test_not_ready_comes_before_closed(
    background: ThreadPoolExecutor, front_settings: dict[str, str]
) -> None:
    """During the drain delay probes say no while requests are still answered; then both listeners close."""
    with running(ECHO, {"drain_delay_s": "1"} | front_settings) as server:
        server.signal()
        poll(lambda: server.status_of("/v2/health/ready") == 503, limit_s=1)
        assert server.status_of("/v2/models/echo/ready") == 503
        with grpc.insecure_channel(server.grpc_target) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            status = health.Check(health_pb2.HealthCheckRequest(service="echo"), timeout=5).status
        assert status == health_pb2.HealthCheckResponse.NOT_SERVING
        last = work_rest(server)
        assert (last.status_code, last.headers["connection"]) == (200, "close")
        assert work_grpc(server, 0) == "OK"
        rest = background.submit(work_rest, server, sleep_s=1.5)
        poll(lambda: server.status_of("/v2/health/live") == 0, limit_s=5)
        assert work_grpc(server, 0) == "UNAVAILABLE"
        assert rest.result().status_code == 200
        assert server.wait() == 0


def test_work_beyond_the_grace_is_told(
    background: ThreadPoolExecutor, front_settings: dict[str, str]
) -> None:
    """What is not done within the grace is answered 503 / UNAVAILABLE instead of being cut off."""
    with running(ECHO, {"grace_s": "0.5"} | front_settings) as server:
        rest, by_grpc = both_at_work(server, background, 20)
        began_s = time.monotonic()
        server.signal()
        assert rest.result().status_code == 503
        assert by_grpc.result() == "UNAVAILABLE"
        assert server.wait() == 0
        assert time.monotonic() - began_s < 4


def test_watchers_and_idle_connections_do_not_hold_up_the_stop(front_settings: dict[str, str]) -> None:
    """Open health watches, idle REST connections and silent sockets are closed, not waited for."""
    with (
        running(ECHO, front_settings) as server,
        httpx.Client() as idle,
        socket.create_connection((HOST, server.rest_port)),
        grpc.insecure_channel(server.grpc_target) as channel,
    ):
        idle.get(f"{server.rest_url}/v2")
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        began_s = time.monotonic()
        server.signal()
        assert server.wait() == 0
        assert time.monotonic() - began_s < 3


def test_second_signal_ends_at_once(background: ThreadPoolExecutor, front_settings: dict[str, str]) -> None:
    """Whoever asks twice does not want to wait."""
    with running(ECHO, front_settings) as server:
        rest = background.submit(work_rest, server, sleep_s=20)
        poll(lambda: '{protocol="rest"} 1.0' in httpx.get(f"{server.rest_url}/metrics").text)
        server.signal()
        poll(lambda: '"stopping"' in server.log())
        server.signal()
        assert server.wait(2) == 128 + signal.SIGTERM
        assert isinstance(rest.exception(), httpx.TransportError)


def test_crashed_engine_ends_the_process(
    background: ThreadPoolExecutor, front_settings: dict[str, str]
) -> None:
    """When the engine dies, callers get UNAVAILABLE, the log says why, and the process ends."""
    with running(ECHO, front_settings) as server:
        rest, by_grpc = both_at_work(server, background, 20)
        began_s = time.monotonic()
        background.submit(work_rest, server, crash=True, sleep_s=20)
        assert rest.result().status_code == 503
        assert by_grpc.result() == "UNAVAILABLE"
        assert server.wait() == 1
        assert time.monotonic() - began_s < 5
        assert "the device is lost" in server.log()
        assert '"engine_ended"' in server.log()


def test_impossible_setting_is_one_line() -> None:
    """An impossible or unknown setting ends the start before anything else happens."""
    for settings, line in (
        ({"grace_s": "-1"}, "DNS_RISK_GRACE_S='-1': input should be greater than or equal to 0\n"),
        ({"grace": "1"}, "DNS_RISK_GRACE: no such setting of this service, did you mean DNS_RISK_GRACE_S?\n"),
    ):
        server = ServerProcess(ECHO, settings)
        try:
            assert server.wait() == 1
            assert server.log() == line
        finally:
            server.stop()
