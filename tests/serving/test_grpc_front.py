from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2_grpc

from load_tests.waiting import poll
from tests.serving.server_process import ServerProcess, running
from tests.serving.v2_requests import message

pytestmark = pytest.mark.every_front


@pytest.fixture(scope="module")
def stub(echo: ServerProcess) -> Iterator[Any]:
    """The inference service of the echo process."""
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(echo.grpc_target, options) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def refusal_of(stub: Any, request: Any, timeout: float = 10) -> tuple[str, str]:
    """The status and the message that a request is refused with."""
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(request, timeout=timeout)
    return refused.value.code().name, refused.value.details()


def test_tritonclient_is_served(echo: ServerProcess) -> None:
    """tritonclient.grpc sends and gets every tensor, with id and requested outputs."""
    values, names = np.arange(4, dtype=np.float32).reshape(2, 2), np.array([b"a", b"\xff"], object)
    inputs = [
        triton.InferInput("values", [2, 2], "FP32").set_data_from_numpy(values),
        triton.InferInput("ids", [2], "INT64").set_data_from_numpy(np.array([7, -8])),
        triton.InferInput("names", [2], "BYTES").set_data_from_numpy(names),
    ]
    outputs = [triton.InferRequestedOutput("names"), triton.InferRequestedOutput("values")]
    with triton.InferenceServerClient(echo.grpc_target) as client:
        result = client.infer("echo", inputs, model_version="7", outputs=outputs, request_id="mine")
    assert result.as_numpy("values").tolist() == values.tolist()
    assert result.as_numpy("names").tolist() == names.tolist()
    assert [output.name for output in result.get_response().outputs] == ["names", "values"]
    assert (result.get_response().id, result.get_response().model_version) == ("mine", "7")


def test_typed_contents_are_served(stub: Any) -> None:
    """A request with typed contents is answered like one with raw contents, in raw contents."""
    request = message()
    del request.raw_input_contents[:]
    request.inputs[0].contents.fp32_contents.extend([1, 2.5, 3, 4])
    request.inputs[1].contents.int64_contents.extend([7, -8])
    request.inputs[2].contents.bytes_contents.extend([b"a", b"\xff\x00"])
    typed, raw = stub.ModelInfer(request), stub.ModelInfer(message())
    assert list(typed.raw_output_contents) == list(raw.raw_output_contents)
    assert uuid.UUID(typed.id)


def test_doubles_of_tritons_proto_arrive_and_leave(stub: Any) -> None:
    """A double parameter is unknown to KServe's proto, and still understood and answered."""
    request = message()
    request.parameters["sleep_s"].double_param = 0.2
    began_s = time.monotonic()
    response = stub.ModelInfer(request)
    assert time.monotonic() - began_s > 0.19
    assert response.parameters["ratio"].double_param == 0.5


def test_metadata_reaches_the_model_and_secrets_do_not(stub: Any) -> None:
    """Trace context and request id are handed to the model to forward; nothing else is."""
    sent = (("traceparent", "00-ab-cd-01"), ("x-request-id", "r"), ("authorization", "secret"))
    response = stub.ModelInfer(message(), metadata=sent)
    forward = json.loads(response.parameters["forward"].string_param)
    assert forward == {"traceparent": "00-ab-cd-01", "x-request-id": "r"}


@pytest.mark.parametrize(
    ("fail", "code", "reason"),
    [
        ("overloaded", "RESOURCE_EXHAUSTED", "the queue is full"),
        ("schema", "FAILED_PRECONDITION", "other features"),
        ("unavailable", "UNAVAILABLE", "downstream is away"),
        ("scoring", "INTERNAL", "the model raised"),
        ("bug", "INTERNAL", "internal error in request 'mine'"),
    ],
)
def test_errors_of_the_model_keep_their_status(stub: Any, fail: str, code: str, reason: str) -> None:
    """What the model raises has its own status; a bug is not shown."""
    request = message()
    request.id = "mine"
    request.parameters["fail"].string_param = fail
    assert refusal_of(stub, request) == (code, reason)


def test_deadline_is_kept_and_work_cancelled(stub: Any) -> None:
    """A call ends at its deadline, its work with it, and the model is told that nobody waits."""

    def cancelled() -> int:
        count: int = stub.ModelInfer(message()).parameters["cancelled"].int64_param
        return count

    before, began_s = cancelled(), time.monotonic()
    request = message()
    request.parameters["sleep_s"].int64_param = 30
    assert refusal_of(stub, request, timeout=0.2)[0] == "DEADLINE_EXCEEDED"
    assert time.monotonic() - began_s < 2
    poll(lambda: cancelled() > before, limit_s=3)


def test_cancelled_call_cancels_its_work(stub: Any, http: httpx.Client) -> None:
    """A caller that cancels ends its work at once."""

    def cancelled() -> int:
        count: int = stub.ModelInfer(message()).parameters["cancelled"].int64_param
        return count

    before = cancelled()
    request = message()
    request.parameters["sleep_s"].int64_param = 30
    call = stub.ModelInfer.future(request)
    poll(lambda: 'dns_risk_in_flight{protocol="grpc"} 1.0' in http.get("/metrics").text)
    call.cancel()
    poll(lambda: cancelled() > before, limit_s=3)


def test_deadline_reaches_the_model(stub: Any) -> None:
    """The model sees the time its caller waits, or the default one."""
    with_timeout = stub.ModelInfer(message(), timeout=0.7).parameters["remaining_ms"].int64_param
    without = stub.ModelInfer(message()).parameters["remaining_ms"].int64_param
    assert 300 < with_timeout <= 700
    assert 4_000 < without <= 5_000


def test_requests_are_counted_by_status(stub: Any, http: httpx.Client) -> None:
    """Metrics count gRPC calls by their status."""

    def count(code: str) -> float:
        head = f'dns_risk_requests_total{{code="{code}",model="echo",protocol="grpc"}} '
        lines = http.get("/metrics").text.splitlines()
        return sum(float(line.removeprefix(head)) for line in lines if line.startswith(head))

    before = count("OK"), count("INVALID_ARGUMENT")
    stub.ModelInfer(message())
    refusal_of(stub, message(values=b""))
    # A call is counted when it has ended, which may be after its caller knows.
    poll(lambda: (count("OK"), count("INVALID_ARGUMENT")) == (before[0] + 1, before[1] + 1))


def test_one_too_many_is_refused(front_settings: dict[str, str]) -> None:
    """Calls beyond the setting are RESOURCE_EXHAUSTED at once, not queued."""
    with (
        running(("tests.serving.echo_service",), {"max_in_flight": "2"} | front_settings) as server,
        grpc.insecure_channel(server.grpc_target) as channel,
    ):
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        slow = message()
        slow.parameters["sleep_s"].double_param = 0.7
        calls = [stub.ModelInfer.future(slow) for _ in range(5)]
        codes = sorted(call.code().name for call in calls)
        assert codes == ["OK"] * 2 + ["RESOURCE_EXHAUSTED"] * 3
