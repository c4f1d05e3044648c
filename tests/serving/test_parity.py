"""One request, sent to a real server in every form of the v2 protocol: one answer, or one refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from tritonclient.grpc import service_pb2_grpc

from contract.tensors import NUMPY_DTYPES
from tests.serving.one_request import REST_OF_GRPC, Request, Tensor, and_tensor, good, with_tensor
from tests.serving.server_process import ServerProcess

pytestmark = pytest.mark.every_front

CASES: dict[str, tuple[str, Request]] = {
    "as it is": ("OK", good()),
    "with nulls": ("OK", good(nulls=True)),
    "with an id": ("OK", good(request_id="mine")),
    "of a version": ("OK", good(version="7")),
    "of another version": ("NOT_FOUND", good(version="8")),
    "boolean parameter": ("OK", good(parameters={"x": True})),
    "negative parameter": ("OK", good(parameters={"x": -(2**63)})),
    "large parameter": ("OK", good(parameters={"x": 2**63})),
    "largest parameter": ("OK", good(parameters={"x": 2**64 - 1})),
    "double parameter": ("OK", good(parameters={"x": 0.5})),
    "text parameter": ("OK", good(parameters={"x": "é"})),
    "priority": ("OK", good(parameters={"priority": 2**63, "timeout": 1})),
    "sequence": ("OK", good(parameters={"sequence_id": 5, "sequence_start": True, "sequence_end": False})),
    "sequence by name": ("OK", good(parameters={"sequence_id": "five", "headers": "x"})),
    "binary output": ("OK", good(parameters={"binary_data_output": True})),
    "no binary output": ("OK", good(parameters={"binary_data_output": False})),
    "binary output in words": ("INVALID_ARGUMENT", good(parameters={"binary_data_output": "false"})),
    "binary output by number": ("INVALID_ARGUMENT", good(parameters={"binary_data_output": 1})),
    "outputs": ("OK", good(outputs=[("names", {}), ("values", {"binary_data": True}), ("ids", {})])),
    "outputs with nulls": ("OK", good(outputs=[("names", {}), ("ids", {"binary_data": False})], nulls=True)),
    "an output in words": ("INVALID_ARGUMENT", good(outputs=[("ids", {"binary_data": "false"})])),
    "an output as no classes": ("OK", good(outputs=[("ids", {"classification": 0})])),
    "an output as classes": ("INVALID_ARGUMENT", good(outputs=[("ids", {"classification": 2})])),
    "an output elsewhere": ("INVALID_ARGUMENT", good(outputs=[("ids", {"shared_memory_region": "r"})])),
    "an output unknown": ("INVALID_ARGUMENT", good(outputs=[("x", {})])),
    "an output twice": ("INVALID_ARGUMENT", good(outputs=[("ids", {}), ("ids", {})])),
    "input parameters": ("OK", with_tensor("ids", parameters={"content_type": "np", "x": 2**64 - 1})),
    "an input elsewhere": ("INVALID_ARGUMENT", with_tensor("ids", parameters={"shared_memory_region": "r"})),
    "an input unknown": ("INVALID_ARGUMENT", with_tensor("ids", name="x")),
    "an input twice": ("INVALID_ARGUMENT", and_tensor(good().tensors[1])),
    "an input missing": ("INVALID_ARGUMENT", good(tensors=good().tensors[:2])),
    "no inputs": ("INVALID_ARGUMENT", good(tensors=[])),
    "another datatype": ("INVALID_ARGUMENT", with_tensor("ids", datatype="UINT64", values=[1, 2])),
    "a datatype in lower case": ("INVALID_ARGUMENT", with_tensor("values", datatype="fp32")),
    "another rank": ("INVALID_ARGUMENT", with_tensor("values", shape=[4])),
    "an axis below zero": ("INVALID_ARGUMENT", with_tensor("values", shape=[-1, 2])),
    "a huge axis": ("INVALID_ARGUMENT", with_tensor("values", shape=[2**62, 2])),
    "a huge axis of texts": ("INVALID_ARGUMENT", with_tensor("names", shape=[2**62])),
    "too few values": ("INVALID_ARGUMENT", with_tensor("ids", values=[7])),
    "too many texts": ("INVALID_ARGUMENT", with_tensor("names", values=["a", "b", "c"])),
    "no rows": (
        "OK",
        Request(
            [
                Tensor("values", "FP32", [0, 2], []),
                Tensor("ids", "INT64", [0], []),
                Tensor("names", "BYTES", [0], []),
            ]
        ),
    ),
    "every datatype": (
        "OK",
        and_tensor(
            Tensor("bool", "BOOL", [2], [True, False]),
            Tensor("uint8", "UINT8", [2], [0, 255]),
            Tensor("uint64", "UINT64", [2], [0, 2**64 - 1]),
            Tensor("int16", "INT16", [2], [-32768, 32767]),
            Tensor("fp64", "FP64", [2], [1e300, -1.5]),
        ),
    ),
    "halves": ("OK", and_tensor(Tensor("fp16", "FP16", [2], [0.5, -2.0]))),
    "a model that is overloaded": ("RESOURCE_EXHAUSTED", good(parameters={"fail": "overloaded"})),
    "a model that is of another schema": ("FAILED_PRECONDITION", good(parameters={"fail": "schema"})),
    "a model that is away": ("UNAVAILABLE", good(parameters={"fail": "unavailable"})),
    "a model that raises": ("INTERNAL", good(parameters={"fail": "scoring"})),
    "a model with a bug": ("INTERNAL", good(parameters={"fail": "bug"})),
    "a model that is slow": ("DEADLINE_EXCEEDED", good(parameters={"sleep_s": 30.5})),
    "too many bytes": (
        "RESOURCE_EXHAUSTED",
        with_tensor("names", values=["a" * (1 << 20), "b"]),
    ),
}


@pytest.fixture(scope="module")
def stub(echo: ServerProcess) -> Iterator[Any]:
    """The inference service of the echo process."""
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(echo.grpc_target, options) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def by_rest(http: httpx.Client, request: Request, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    """Status and, by name, the outputs of a good answer."""
    sent = headers | {"x-request-timeout-ms": "1500"}
    answer = http.post(request.path, content=body, headers=sent)
    if answer.status_code != 200:
        assert isinstance(answer.json()["error"], str)
        return answer.status_code, None
    return 200, (answer_id(request, _rest_document(answer)["id"]), _rest_outputs(answer))


def by_grpc(stub: Any, request: Request, message: Any) -> tuple[str, Any]:
    """The same of gRPC."""
    try:
        answer = stub.ModelInfer(message, timeout=1.5)
    except grpc.RpcError as refusal:
        return refusal.code().name, None
    outputs = [
        (output.name, output.datatype, list(output.shape), _values(output.datatype, raw))
        for output, raw in zip(answer.outputs, answer.raw_output_contents, strict=True)
    ]
    return "OK", (answer_id(request, answer.id), outputs)


def answer_id(request: Request, answered: str) -> str:
    """The request's own id; a new one is only known to be there."""
    assert answered
    return answered if request.request_id else "new"


def _rest_document(answer: httpx.Response) -> dict[str, Any]:
    length = answer.headers.get("inference-header-content-length")
    body = answer.content if length is None else answer.content[: int(length)]
    document: dict[str, Any] = httpx.Response(200, content=body).json()
    return document


def _rest_outputs(answer: httpx.Response) -> list[tuple[Any, ...]]:
    found = []
    rest = answer.content[int(answer.headers.get("inference-header-content-length", 0)) :]
    for output in _rest_document(answer)["outputs"]:
        values = output.get("data")
        if values is None:
            size = output["parameters"]["binary_data_size"]
            values, rest = _values(output["datatype"], rest[:size]), rest[size:]
        found.append((output["name"], output["datatype"], output["shape"], values))
    return found


def _values(datatype: str, raw: bytes) -> list[Any]:
    if datatype != "BYTES":
        values: list[Any] = np.frombuffer(raw, NUMPY_DTYPES[datatype]).tolist()
        return values
    texts = []
    while raw:
        end = 4 + int.from_bytes(raw[:4], "little")
        texts.append(raw[4:end].decode())
        raw = raw[end:]
    return texts


@pytest.mark.parametrize("case", CASES)
def test_a_request_is_answered_alike_in_every_form(http: httpx.Client, stub: Any, case: str) -> None:
    """JSON, binary tensors, typed and raw contents of one request get the same outputs, or the same refusal."""
    code, request = CASES[case]
    typed = request.typed()
    answers = [by_grpc(stub, request, message) for message in (request.raw(), typed) if message is not None]
    assert {answered for answered, _ in answers} == {code}
    rests = [by_rest(http, request, *form) for form in (request.json(), request.binary())]
    assert {status for status, _ in rests} <= REST_OF_GRPC[code]
    first = answers[0][1]
    assert all(outputs == first for _, outputs in answers + rests)


@pytest.mark.parametrize(
    ("values", "datatype"), [([0, 256], "UINT8"), ([-1, 0], "UINT64"), ([40_000, 1], "INT16")]
)
def test_values_out_of_range_are_refused_alike(
    http: httpx.Client, stub: Any, values: list[int], datatype: str
) -> None:
    """What raw bytes cannot even say is refused in JSON and in typed contents that can."""
    request = and_tensor(Tensor(datatype.lower(), datatype, [2], values))
    assert http.post(request.path, content=request.json()[0]).status_code == 400
    if datatype != "UINT64":
        assert by_grpc(stub, request, request.typed()) == ("INVALID_ARGUMENT", None)


def test_metadata_that_comes_twice_is_one_list(http: httpx.Client, stub: Any) -> None:
    """Both protocols hand on every tracestate (RFC 9110, 5.3), in one."""
    sent = [("tracestate", "a=1"), ("x-request-id", "r"), ("tracestate", "b=2")]
    by_http = http.post(good().path, content=good().json()[0], headers=sent).json()
    message = stub.ModelInfer(good().raw(), metadata=sent)
    assert by_http["parameters"]["forward"] == message.parameters["forward"].string_param
    assert '"tracestate":"a=1, b=2"' in by_http["parameters"]["forward"]
    assert (by_http["id"], message.id) == ("r", "r")
