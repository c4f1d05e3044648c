"""Requests that break the gRPC contract, sent to a real server."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from tritonclient.grpc import service_pb2_grpc

from tests.serving.server_process import ServerProcess
from tests.serving.v2_requests import message, strings

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


def _rename(request: Any) -> None:
    request.inputs[0].name = "value"


def _repeat(request: Any) -> None:
    request.inputs[1].CopyFrom(request.inputs[0])


def _drop(request: Any) -> None:
    del request.inputs[2]
    del request.raw_input_contents[2]


def _datatype(request: Any) -> None:
    request.inputs[0].datatype = "FP64"


def _shape(*axes: int) -> Callable[[Any], None]:
    def change(request: Any) -> None:
        del request.inputs[0].shape[:]
        request.inputs[0].shape.extend(axes)

    return change


def _raw(place: int, raw: bytes) -> Callable[[Any], None]:
    def change(request: Any) -> None:
        request.raw_input_contents[place] = raw

    return change


def _no_contents(request: Any) -> None:
    del request.raw_input_contents[:]


def _fewer_raw(request: Any) -> None:
    del request.raw_input_contents[2]


def _output(request: Any) -> None:
    request.outputs.add(name="x")


def _boolean(request: Any) -> None:
    request.inputs.add(name="bool", datatype="BOOL", shape=[1])
    request.raw_input_contents.append(b"\x02")


BAD_REQUESTS: dict[str, tuple[Callable[[Any], None], str]] = {
    "unknown input": (_rename, "input 'value': echo has no such input, expected values"),
    "duplicate": (_repeat, "input values: given twice"),
    "missing": (_drop, "input names: missing"),
    "datatype": (_datatype, "input values: expected datatype FP32, got 'FP64'"),
    "rank": (_shape(4), "input values: expected shape [-1, 2], got [4]"),
    "axis": (_shape(1, 4), "got [1, 4]"),
    "negative": (_shape(-2, 2), "got [-2, 2]"),
    "huge": (_shape(2**62, 2), "expected 36893488147419103232 bytes"),
    "truncated": (_raw(0, bytes(15)), "expected 16 bytes for FP32 of shape [2, 2], got 15"),
    "overlong": (_raw(1, bytes(24)), "expected 16 bytes for INT64 of shape [2], got 24"),
    "empty": (_raw(0, b""), "expected 16 bytes"),
    "truncated prefix": (_raw(2, strings(b"abcd") + b"\x01\x00"), "data ends inside the length of string 1"),
    "lying prefix": (_raw(2, struct.pack("<I", 2**32 - 1) + bytes(8)), "string 0 claims 4294967295 bytes"),
    "strings left over": (_raw(2, strings(b"a", b"b", b"c")), "5 bytes too many after 2 strings"),
    "no contents": (_no_contents, "expected 4 elements in fp32_contents for shape [2, 2], got 0"),
    "fewer raw": (_fewer_raw, "raw_input_contents: expected 3 entries, got 2"),
    "unknown output": (_output, "output 'x': echo has no such output"),
    "boolean": (_boolean, "expected BOOL bytes 0 or 1, got 2"),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_bad_requests_are_refused(stub: Any, case: str) -> None:
    """Every way to break the contract is INVALID_ARGUMENT with what is wrong."""
    change, reason = BAD_REQUESTS[case]
    request = message()
    change(request)
    code, details = refusal_of(stub, request)
    assert code == "INVALID_ARGUMENT"
    assert reason in details


def test_bytes_that_are_no_message_are_refused(echo: ServerProcess) -> None:
    """Bytes that are no ModelInferRequest end that call only."""
    with grpc.insecure_channel(echo.grpc_target) as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        with pytest.raises(grpc.RpcError) as refused:
            call(b"\xff" * 100, timeout=10)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert echo.status_of("/v2/health/ready") == 200


def test_large_messages_are_refused(stub: Any) -> None:
    """A message over the limit is RESOURCE_EXHAUSTED, and the connection lives on."""
    code, _ = refusal_of(stub, message(names=bytes(10_000_000)))
    assert code == "RESOURCE_EXHAUSTED"
    assert stub.ModelInfer(message()).model_name == "echo"


@pytest.mark.parametrize(("model", "version"), [("other", ""), ("echo", "8")])
def test_other_models_are_not_found(stub: Any, model: str, version: str) -> None:
    """A model or version that is not here is NOT_FOUND."""
    request = message()
    request.model_name, request.model_version = model, version
    code, details = refusal_of(stub, request)
    assert code == "NOT_FOUND"
    assert repr(version or model) in details
