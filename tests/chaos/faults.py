"""The faults: each a function that harms a running system and then leaves it to itself."""

from __future__ import annotations

import json
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
import httpx
from tritonclient.grpc import service_pb2_grpc

from tests.chaos.system import NAMES, System
from tests.chaos.traffic import Traffic
from tests.services import SAMPLE
from tests.serving.server_process import HOST, REPOSITORY, ServerProcess
from tests.transformer.score_requests import INFER, document, message

STORM = 2_000
LIMIT_BYTES = 8 * 1024 * 1024
# Longer than a request's deadline, so that callers run into it.
FROZEN_S = 1.5


@dataclass(frozen=True)
class Fault:
    """What is done, and what may come of it.

    Fields:
        name      as the table shows it
        inject    does it, and returns as soon as the system is left to itself
        graceful  whether nothing that was accepted may be lost
        replicas  of each service, behind a proxy where there are two
        short     whether it is among those that every test run injects
    """

    name: str
    inject: Callable[[System, Traffic], None]
    graceful: bool = True
    replicas: int = 1
    short: bool = True


def _stop_gracefully(process: ServerProcess) -> None:
    process.signal(signal.SIGTERM)
    status = process.wait(30)
    if status != 0:
        raise AssertionError(f"a service that was told to stop ended with status {status}")


def restart_transformers(system: System, _traffic: Traffic) -> None:
    """One after the other, as a Deployment does."""
    for place, process in enumerate(system.transformers):
        _stop_gracefully(process)
        system.transformers[place] = system.start_transformer(place)
        system.transformers[place].wait_until_ready()


def restart_predictors(system: System, _traffic: Traffic) -> None:
    """One after the other, behind the proxy that the transformers ask."""
    for place, process in enumerate(system.predictors):
        _stop_gracefully(process)
        system.predictors[place] = system.start_predictor(place)
        system.predictors[place].wait_until_ready()


def kill_predictor(system: System, _traffic: Traffic) -> None:
    """As the kernel does when memory is short; it comes back on its own port."""
    system.predictors[0].process.kill()
    system.predictors[0] = system.start_predictor()
    system.predictors[0].wait_until_ready()


def kill_transformer(system: System, _traffic: Traffic) -> None:
    """The same in front."""
    system.transformers[0].process.kill()
    system.transformers[0] = system.start_transformer()


def freeze_predictor(system: System, _traffic: Traffic) -> None:
    """It accepts and does not answer."""
    system.predictors[0].process.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN_S)
    system.predictors[0].process.send_signal(signal.SIGCONT)


@contextmanager
def _scripted(system: System) -> Iterator[None]:
    """Another server in the predictor's place."""
    _stop_gracefully(system.predictors[0])
    folder = system.folder / "recorded"
    folder.mkdir(exist_ok=True)
    ports = (system.predictors[0].rest_port, system.predictors[0].grpc_port)
    scripted = ServerProcess(("tests.scripted_predictor", str(folder)), {}, ports)
    try:
        yield
    finally:
        scripted.stop()
        system.predictors[0] = system.start_predictor()
        system.predictors[0].wait_until_ready()


def _misbehave(order: str) -> Callable[[System, Traffic], None]:
    def inject(system: System, traffic: Traffic) -> None:
        traffic.order = order
        # Those without the order must not reach a server that scores everything alike.
        time.sleep(0.2)
        with _scripted(system):
            time.sleep(1.0)
        traffic.order = ""

    return inject


def swap_snapshot(system: System, _traffic: Traffic) -> None:
    """A new snapshot is published and taken up while requests are under way."""
    system.import_names()
    time.sleep(0.5)


def swap_model(system: System, _traffic: Traffic) -> None:
    """Another version of the model behind the transformer, one predictor at a time."""
    system.use_other_version()
    restart_predictors(system, _traffic)


def disconnect(system: System, _traffic: Traffic) -> None:
    """Callers that leave: half a body and a reset, a whole request and a cancellation."""
    body = json.dumps(document(list(NAMES))).encode()
    head = f"POST {INFER} HTTP/1.1\r\nhost: chaos\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with grpc.insecure_channel(f"{HOST}:{system.grpc_port}") as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for _ in range(200):
            _open_and_reset(system.rest_port, head + body[: len(body) // 2])
            stub.ModelInfer.future(message([b"example.com"]), timeout=5).cancel()


def _open_and_reset(port: int, data: bytes = b"") -> None:
    one = socket.create_connection((HOST, port), timeout=10)
    one.sendall(data)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()


def storm(system: System, _traffic: Traffic) -> None:
    """Connections that are opened and dropped, on both ports."""
    for _ in range(STORM // 2):
        _open_and_reset(system.rest_port)
        _open_and_reset(system.grpc_port)


def large_bodies(system: System, _traffic: Traffic) -> None:
    """A body of exactly the limit is served, one byte more is refused, on both protocols."""
    body = json.dumps(document(list(NAMES))).encode()
    for size, status in ((LIMIT_BYTES, 200), (LIMIT_BYTES + 1, 413)):
        answer = httpx.post(f"http://{HOST}:{system.rest_port}{INFER}", content=body.ljust(size), timeout=30)
        _expect(answer.status_code, status)
    with grpc.insecure_channel(f"{HOST}:{system.grpc_port}") as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        try:
            stub.ModelInfer(message([bytes(LIMIT_BYTES)]), timeout=30)
        except grpc.RpcError as error:
            _expect(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)


def _expect(got: object, expected: object) -> None:
    if got != expected:
        raise AssertionError(f"expected {expected}, got {got}")


def disk_full(system: System, _traffic: Traffic) -> None:
    """A snapshot that does not fit: the import says so, and the one before it goes on serving."""
    command = [
        sys.executable,
        "-m",
        "transformer.graph_store",
        "import",
        str(SAMPLE),
        "--store",
        str(system.store),
    ]

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))

    done = subprocess.run(
        command, cwd=REPOSITORY, preexec_fn=little_room, capture_output=True, text=True, check=False
    )
    if done.returncode == 0 or "Traceback" in done.stderr:
        raise AssertionError(f"an import without room: status {done.returncode}, {done.stderr[-500:]}")


FAULTS = (
    Fault("transformers restarted one by one", restart_transformers, replicas=2),
    Fault("predictors restarted one by one", restart_predictors, replicas=2, short=False),
    Fault("model version swapped", swap_model, replicas=2),
    Fault("predictor killed", kill_predictor, graceful=False),
    Fault("transformer killed", kill_transformer, graceful=False, short=False),
    Fault("predictor frozen", freeze_predictor),
    Fault("predictor slow", _misbehave("sleep:3"), short=False),
    Fault("predictor answers garbage", _misbehave("answer:nothing")),
    Fault("predictor of another schema", _misbehave("status:FAILED_PRECONDITION"), short=False),
    Fault("graph snapshot swapped", swap_snapshot),
    Fault("callers disconnect", disconnect),
    Fault("storm of connections", storm),
    Fault("bodies at and past the limit", large_bodies),
    Fault("disk full while a snapshot is built", disk_full),
)
