"""Requests for the echo model, as headers and as a body of gRPC messages."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from tritonclient.grpc import service_pb2

from tests.hostile_http2.attacker import Answer, Headers
from tests.serving.v2_requests import message, strings

MODEL_INFER = "/inference.GRPCInferenceService/ModelInfer"
OK, INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 0, 3, 4, 8, 12, 13


def head(*more: tuple[str, str], **pseudo: str) -> Headers:
    """The headers of a call; pseudo-headers by name without colon, "" leaves one out."""
    told = {"method": "POST", "scheme": "http", "path": MODEL_INFER, "authority": "localhost"} | pseudo
    regular = [("te", "trailers"), ("content-type", "application/grpc")]
    own = {name for name, _ in more}
    kept = [pair for pair in regular if pair[0] not in own]
    return [(f":{name}", value) for name, value in told.items() if value] + kept + list(more)


def prefixed(raw: bytes, *, compressed: int = 0, size: int | None = None) -> bytes:
    """A message with its five-byte prefix, which may lie about its size."""
    return struct.pack(">BI", compressed, len(raw) if size is None else size) + raw


def infer(request_id: str = "mine", *, sleep_s: float = 0, size: int = 0) -> bytes:
    """The body of an inference; `size` adds that many bytes, which come back with the answer."""
    request = message()
    request.id = request_id
    if sleep_s:
        request.parameters["sleep_s"].double_param = sleep_s
    if size:
        request.raw_input_contents[2] = strings(b"a", bytes(size))
    return prefixed(request.SerializeToString())


def response(answer: Answer) -> Any:
    """The message of an answer that must be good."""
    assert (answer.http_status, answer.grpc_status, answer.reset or 0) == ("200", OK, 0), answer
    return service_pb2.ModelInferResponse.FromString(answer.message)


def check(answer: Answer, request_id: str = "mine") -> None:
    """The answer is the echo of `infer(request_id)`."""
    told = response(answer)
    assert told.id == request_id
    assert np.frombuffer(told.raw_output_contents[1], "<i8").tolist() == [7, -8]
