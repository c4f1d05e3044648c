from __future__ import annotations

import json
import subprocess
import threading
import time
import uuid
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from load_tests.waiting import poll
from tests.serving.server_process import ServerProcess
from tests.serving.v2_requests import INFER, and_input, document, with_input


def outputs_of(answer: httpx.Response) -> dict[str, dict[str, Any]]:
    """The outputs of an answer by name; the answer has to be a good one."""
    assert answer.status_code == 200, answer.text
    return {output["name"]: output for output in answer.json()["outputs"]}


def test_flat_and_nested_data_are_answered(http: httpx.Client) -> None:
    """A v2 JSON request is answered with flat data, declared datatypes and shapes."""
    nested = with_input("values", data=[[1, 2.5], [3, 4]])
    for request in (document(), nested):
        outputs = outputs_of(http.post(INFER, json=request))
        assert outputs["values"] == {
            "name": "values",
            "datatype": "FP32",
            "shape": [2, 2],
            "data": [1.0, 2.5, 3.0, 4.0],
        }
        assert outputs["ids"]["data"] == [7, -8]
        assert outputs["names"]["data"] == ["a", "é"]


def test_id_outputs_and_version_are_honoured(http: httpx.Client) -> None:
    """The id comes back, and the requested outputs in their order, also by versioned path."""
    request = document(id="mine", outputs=[{"name": "names"}, {"name": "ids"}])
    answer = http.post("/v2/models/echo/versions/7/infer", json=request)
    assert list(outputs_of(answer)) == ["names", "ids"]
    assert (answer.json()["id"], answer.json()["model_version"]) == ("mine", "7")


def test_id_is_a_uuid_when_absent(http: httpx.Client) -> None:
    """A request without an id gets one."""
    assert uuid.UUID(http.post(INFER, json=document()).json()["id"])


def test_trace_headers_reach_the_model_and_secrets_do_not(http: httpx.Client) -> None:
    """Trace context and request id are handed to the model to forward; nothing else is."""
    headers = {"traceparent": "00-ab-cd-01", "x-request-id": "r", "authorization": "secret"}
    parameters = http.post(INFER, json=document(), headers=headers).json()["parameters"]
    assert json.loads(parameters["forward"]) == {"traceparent": "00-ab-cd-01", "x-request-id": "r"}


def test_every_datatype_is_echoed(http: httpx.Client) -> None:
    """BOOL, unsigned, half and double tensors keep their values through JSON."""
    samples = {
        "BOOL": [True, False],
        "UINT8": [0, 255],
        "UINT64": [0, 2**64 - 1],
        "INT16": [-32768, 32767],
        "FP16": [0.5, -2.0],
        "FP64": [1e300, -1.5],
    }
    for datatype, data in samples.items():
        answer = http.post(INFER, json=and_input(datatype, *data))
        assert outputs_of(answer)[datatype.lower()]["data"] == data


def test_curl_is_served(echo: ServerProcess) -> None:
    """curl -d sends a form content type; what counts is the JSON in it."""  # noqa: D403
    command = ["curl", "-sS", "--fail", f"{echo.rest_url}{INFER}", "-d", json.dumps(document())]
    answer = subprocess.run(command, check=True, capture_output=True, timeout=20)
    assert json.loads(answer.stdout)["model_name"] == "echo"


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_tritonclient_sends_and_gets_binary(
    echo: ServerProcess, *, binary: bool, compression: str | None
) -> None:
    """tritonclient.http's binary tensors work both ways, compressed or not, and mixed with JSON."""
    arrays = {
        "values": np.arange(6, dtype=np.float32).reshape(3, 2),
        "ids": np.arange(3),
        "names": np.array([b"a", b"", "é".encode()], object),
    }
    inputs = []
    for name, array in arrays.items():
        datatype = {"values": "FP32", "ids": "INT64", "names": "BYTES"}[name]
        inputs.append(triton.InferInput(name, array.shape, datatype))
        inputs[-1].set_data_from_numpy(array, binary_data=binary)
    outputs = [triton.InferRequestedOutput(name, binary_data=name != "ids") for name in arrays]
    with triton.InferenceServerClient(f"127.0.0.1:{echo.rest_port}") as client:
        result = client.infer(
            "echo", inputs, outputs=outputs, request_id="t", request_compression_algorithm=compression
        )
        everything = client.infer("echo", inputs)
    for name, array in arrays.items():
        assert result.as_numpy(name).tolist() == array.tolist()
        assert everything.as_numpy(name).tolist() == array.tolist()
    assert result.get_response()["id"] == "t"


def test_tritonclient_reads_refusals(echo: ServerProcess) -> None:
    """An error reaches tritonclient with its message."""
    tensor = triton.InferInput("values", [1, 2], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 2), np.float32))
    with (
        triton.InferenceServerClient(f"127.0.0.1:{echo.rest_port}") as client,
        pytest.raises(InferenceServerException, match="input ids: missing"),
    ):
        client.infer("echo", [tensor])


@pytest.mark.parametrize(
    ("fail", "status", "retry", "reason"),
    [
        ("overloaded", 429, "1", "the queue is full"),
        ("schema", 409, None, "other features"),
        ("unavailable", 503, "1", "downstream is away"),
        ("scoring", 500, None, "the model raised"),
    ],
)
def test_errors_of_the_model_keep_their_status(
    http: httpx.Client, fail: str, status: int, retry: str | None, reason: str
) -> None:
    """What the model raises is answered with its own status; a caller is told when to come back."""
    answer = http.post(INFER, json=document(parameters={"fail": fail}))
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)
    assert answer.json() == {"error": reason}


def test_bugs_are_logged_with_the_id_and_not_shown(http: httpx.Client, echo: ServerProcess) -> None:
    """An unexpected error is answered 500 without its text; the log has it, beside the request's id."""
    answer = http.post(INFER, json=document(id="bug-1", parameters={"fail": "bug"}))
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal error in request 'bug-1'"}
    line = next(json.loads(line) for line in echo.log().splitlines() if "bug-1" in line)
    assert (line["level"], line["event"], line["request_id"]) == ("ERROR", "request_failed", "bug-1")
    assert "a secret of the server" in line["exc_info"]


def test_deadline_is_kept(http: httpx.Client) -> None:
    """A request that takes longer than its caller waits is answered 504 at that time."""
    began_s = time.monotonic()
    answer = http.post(
        INFER, json=document(parameters={"sleep_s": 30}), headers={"x-request-timeout-ms": "100"}
    )
    assert answer.status_code == 504
    assert 0.09 < time.monotonic() - began_s < 2


def test_deadline_reaches_the_model(http: httpx.Client) -> None:
    """The model sees the time its caller waits; a bad header is answered 400."""
    headers = {"x-request-timeout-ms": "700"}
    parameters = http.post(INFER, json=document(), headers=headers).json()["parameters"]
    assert 300 < parameters["remaining_ms"] <= 700
    assert http.post(INFER, json=document(), headers={"x-request-timeout-ms": "soon"}).status_code == 400


def test_work_of_a_gone_caller_is_cancelled(http: httpx.Client, echo: ServerProcess) -> None:
    """When a caller disconnects, its work ends and the model is told that nobody waits."""

    def cancelled() -> int:
        count: int = http.post(INFER, json=document()).json()["parameters"]["cancelled"]
        return count

    before = cancelled()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{echo.rest_url}{INFER}", json=document(parameters={"sleep_s": 30}), timeout=0.3)
    poll(lambda: cancelled() > before, limit_s=3)


def test_slow_work_holds_up_nobody(http: httpx.Client, echo: ServerProcess) -> None:
    """Probes and other requests are answered while one works."""
    slow = threading.Thread(
        target=httpx.post,
        args=(f"{echo.rest_url}{INFER}",),
        kwargs={"json": document(parameters={"sleep_s": 1})},
    )
    slow.start()
    began_s = time.monotonic()
    assert http.get("/v2/health/ready").status_code == 200
    assert http.post(INFER, json=document()).status_code == 200
    assert time.monotonic() - began_s < 0.8
    slow.join()


def test_v1_verbs_are_the_models(http: httpx.Client) -> None:
    """:predict is what the model makes of it; a verb it has not is 404, a bad body 400."""
    good = {"instances": [{"name": "a"}, {"name": "b"}]}
    answer = http.post("/v1/models/echo:predict", json=good)
    assert (answer.status_code, answer.json()) == (200, {"predictions": [{"id": 0}, {"id": 1}]})
    assert http.post("/v1/models/echo:explain", json=good).status_code == 404
    assert http.post("/v1/models/other:predict", json=good).status_code == 404
    assert http.post("/v1/models/echo:predict", content=b"[").status_code == 400
    assert (
        http.post("/v1/models/echo:predict", json=good | {"parameters": {"fail": "overloaded"}}).status_code
        == 429
    )
