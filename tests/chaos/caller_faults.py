"""Callers that harm: they leave in the middle, come in crowds, and send as much as they may."""

from __future__ import annotations

import json
import random
import socket
import struct
import time

import grpc
import httpx
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.chaos.scene import Scene, names
from tests.serving.server_process import HOST
from tests.transformer.score_requests import INFER, columns_of, columns_of_message, document, message

LEAVING = 100
STORM, AT_A_TIME = 2_000, 200
LIMIT_BYTES = 8 * 1024 * 1024
_RESET = struct.pack("ii", 1, 0)


def leave(scene: Scene) -> None:
    """REST: half a body, or a whole request, and a reset; gRPC: a call is cancelled."""
    body = json.dumps(document(names())).encode()
    head = f"POST {INFER} HTTP/1.1\r\nhost: chaos\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    draw = random.Random(2)  # noqa: S311 - moments, not secrets
    with grpc.insecure_channel(f"{HOST}:{scene.system.grpc_port}") as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for turn in range(LEAVING):
            _reset(_connected(scene.system.rest_port, head + body[: len(body) // (1 + turn % 2)]))
            call = stub.ModelInfer.future(message([name.encode() for name in names()]), timeout=5)
            # Before, while and after it is worked on.
            time.sleep(draw.uniform(0.0, 0.01))
            call.cancel()


def _connected(port: int, data: bytes = b"") -> socket.socket:
    one = socket.create_connection((HOST, port), timeout=10)
    one.sendall(data)
    return one


def _reset(one: socket.socket) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    one.close()


def storm(scene: Scene) -> None:
    """Connections that are opened and dropped, many at a time, on both ports."""
    ports = (scene.system.rest_port, scene.system.grpc_port)
    for first in range(0, STORM, AT_A_TIME):
        crowd = [_connected(ports[number % 2]) for number in range(first, first + AT_A_TIME)]
        for number, one in enumerate(crowd):
            if number % 4 < 2:
                _reset(one)
            else:
                one.close()


def send_much(scene: Scene) -> None:
    """A message of exactly the limit is answered, one byte more is refused, on both protocols."""
    name, row = next(iter(scene.world.rows.items()))
    body = json.dumps(document([name])).encode()
    for extra, status in ((0, 200), (1, 413)):
        answer = httpx.post(
            f"http://{HOST}:{scene.system.rest_port}{INFER}",
            content=body.ljust(LIMIT_BYTES + extra),
            headers={"x-request-timeout-ms": "10000"},
            timeout=20,
        )
        assert answer.status_code == status, (answer.status_code, answer.text[:200])
        if status == 200:
            assert abs(columns_of(answer.json())["risk_score"][0] - row[0]) < 1e-6
    with grpc.insecure_channel(f"{HOST}:{scene.system.grpc_port}") as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        answered = service_pb2.ModelInferResponse.FromString(call(_padded(name, LIMIT_BYTES), timeout=10))
        assert abs(columns_of_message(answered)["risk_score"][0] - row[0]) < 1e-6
        refused = call.future(_padded(name, LIMIT_BYTES + 1), timeout=10).exception()
        assert refused is not None, "a message past the limit was answered"
        assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, refused


def _padded(name: str, size: int) -> bytes:
    """A request for a name, and beside it words that are no names, of this size."""
    letters = size // 128 - 64
    words = [name.encode(), *(b"a" * letters for _ in range(127))]
    short = size - len(message(words).SerializeToString())
    words.append(b"a" * max(0, short - 32))
    words[-1] += b"a" * (size - len(message(words).SerializeToString()))
    padded: bytes = message(words).SerializeToString()
    assert len(padded) == size, (len(padded), size)
    return padded
