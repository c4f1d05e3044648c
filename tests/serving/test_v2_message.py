from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2

from contract.errors import InvalidTensors
from contract.tensors import TensorSpec
from serving.model import InferAnswer, InferCall, RiskModel
from serving.protobuf_bytes import delimited
from serving.tensor_contract import TensorContract
from serving.v2_message import decode_message, fill_response
from tests.serving.v2_requests import message, strings

SPECS = (
    TensorSpec("values", "FP32", (-1, 2)),
    TensorSpec("ids", "INT64", (-1,)),
    TensorSpec("names", "BYTES", (-1,)),
    TensorSpec("small", "INT8", (-1,), required=False),
    TensorSpec("half", "FP16", (-1,), required=False),
)
CONTRACT = TensorContract("echo", SPECS, SPECS[:3])


class Echo(RiskModel):
    """A model that answers its inputs."""

    async def infer(self, call: InferCall) -> InferAnswer:
        """Nothing is computed."""
        return InferAnswer(dict(call.inputs))


def typed() -> Any:
    """The good request with typed contents."""
    request = message()
    del request.raw_input_contents[:]
    request.inputs[0].contents.fp32_contents.extend([1, 2.5, 3, 4])
    request.inputs[1].contents.int64_contents.extend([7, -8])
    request.inputs[2].contents.bytes_contents.extend([b"a", b"\xff\x00"])
    return request


@pytest.mark.parametrize("request_", [message(), typed()], ids=["raw", "typed"])
def test_raw_and_typed_contents_mean_the_same(request_: Any) -> None:
    """Both forms of a request give the same arrays."""
    inputs = decode_message(request_, CONTRACT).inputs
    assert inputs["values"].tolist() == [[1, 2.5], [3, 4]]
    assert inputs["ids"].tolist() == [7, -8]
    assert inputs["names"].tolist() == [b"a", b"\xff\x00"]


def test_response_decodes_to_what_was_asked() -> None:
    """Requested outputs come in their order as raw contents, with id, version and parameters."""
    request = message()
    request.outputs.add(name="names")
    request.outputs.add(name="values")
    decoded = decode_message(request, CONTRACT)
    response = service_pb2.ModelInferResponse()
    answer = InferAnswer(dict(decoded.inputs), {"yes": True, "count": 3, "text": "t", "ratio": 0.25})
    fill_response(response, Echo("echo", "7", SPECS, SPECS), "me", answer, decoded.outputs)
    assert [output.name for output in response.outputs] == ["names", "values"]
    assert list(response.raw_output_contents) == [
        request.raw_input_contents[2],
        request.raw_input_contents[0],
    ]
    assert (response.model_name, response.model_version, response.id) == ("echo", "7", "me")
    assert response.parameters["yes"].bool_param is True
    assert response.parameters["count"].int64_param == 3
    assert response.parameters["text"].string_param == "t"
    assert response.parameters["ratio"].double_param == 0.25


def test_parameters_arrive_with_their_type() -> None:
    """Every kind of parameter arrives as what it was."""
    request = message()
    request.parameters["yes"].bool_param = True
    request.parameters["count"].int64_param = -3
    request.parameters["text"].string_param = "t"
    request.parameters["ratio"].double_param = 0.25
    request.parameters["priority"].uint64_param = 2**64 - 1
    for known in (request, kserve_message(request)):
        parameters = decode_message(known, CONTRACT).parameters
        assert parameters == {"yes": True, "count": -3, "text": "t", "ratio": 0.25, "priority": 2**64 - 1}


def kserve_message(message: Any) -> Any:
    """The request as the service reads it: by a proto that has neither doubles nor unsigned integers.

    Its classes cannot be loaded beside tritonclient's, so this is one like them in a pool of its own.
    """
    file = descriptor_pb2.FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(file)
    parameter = next(kind for kind in file.message_type if kind.name == "InferParameter")
    del parameter.field[3:]
    pool = descriptor_pool.DescriptorPool()
    for needed in service_pb2.DESCRIPTOR.dependencies:
        pool.AddSerializedFile(needed.serialized_pb)
    pool.Add(file)
    kind = pool.FindMessageTypeByName("inference.ModelInferRequest")
    return message_factory.GetMessageClass(kind).FromString(message.SerializeToString())


@given(st.integers(4, 7), st.sampled_from([0, 1, 2, 5]), st.binary(max_size=12))
def test_kinds_of_parameters_that_no_proto_has_are_refused(number: int, wire_type: int, value: bytes) -> None:
    """A field of another number or wire type is a value or a refusal, never a crash."""
    request = message()
    encoded = delimited(4, delimited(1, b"x") + delimited(2, bytes((number << 3 | wire_type,)) + value))
    try:
        broken = service_pb2.ModelInferRequest.FromString(request.SerializeToString() + encoded)
        broken = kserve_message(broken)
    except DecodeError:
        return
    try:
        found = decode_message(broken, CONTRACT).parameters
    except InvalidTensors:
        return
    assert isinstance(found["x"], {(4, 1): float, (5, 0): int}[number, wire_type])


def test_large_integers_leave_as_what_they_are() -> None:
    """An integer over 2**63 - 1 is answered as uint64_param."""
    response = service_pb2.ModelInferResponse()
    answer = InferAnswer({}, {"most": 2**64 - 1, "more": 2**63, "much": 2**63 - 1})
    fill_response(response, Echo("echo", "7", SPECS, SPECS), "me", answer, ())
    assert response.parameters["most"].uint64_param == 2**64 - 1
    assert response.parameters["more"].uint64_param == 2**63
    assert response.parameters["much"].int64_param == 2**63 - 1


def _small(*values: int) -> Callable[[Any], None]:
    def add(request: Any) -> None:
        tensor = request.inputs.add(name="small", datatype="INT8", shape=[len(values)])
        tensor.contents.int_contents.extend(values)

    return add


def _half(request: Any) -> None:
    request.inputs.add(name="half", datatype="FP16", shape=[1]).contents.fp32_contents.append(1)


def _both(request: Any) -> None:
    request.raw_input_contents.extend([b"", b"", b""])


def _other_field(request: Any) -> None:
    request.inputs[0].contents.fp64_contents.append(1)


def _too_few(request: Any) -> None:
    del request.inputs[0].contents.fp32_contents[:]


def _no_choice(request: Any) -> None:
    request.parameters["x"].SetInParent()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_small(1, 128), "input small: 128 at element 1 does not fit INT8"),
        (_half, "FP16 travels in raw_input_contents only"),
        (_both, "both contents and raw_input_contents"),
        (_other_field, "expected fp32_contents, got fp64_contents"),
        (_too_few, "expected 4 elements in fp32_contents"),
        (_no_choice, "parameter 'x': expected a boolean"),
    ],
)
def test_wrong_typed_contents_are_refused(change: Callable[[Any], None], reason: str) -> None:
    """Typed contents in another field, number or range than declared are refused."""
    request = typed()
    change(request)
    with pytest.raises(InvalidTensors, match=reason):
        decode_message(request, CONTRACT)


def test_typed_contents_within_range_are_narrowed() -> None:
    """INT8 travels in 32-bit contents and arrives as INT8."""
    request = typed()
    _small(-128, 127)(request)
    small = decode_message(request, CONTRACT).inputs["small"]
    assert small.dtype == np.int8
    assert small.tolist() == [-128, 127]


def test_raw_contents_are_all_or_none() -> None:
    """Raw contents belong to inputs by their order, so each input needs one."""
    request = message()
    request.raw_input_contents.append(strings(b"more"))
    with pytest.raises(InvalidTensors, match="expected 3 entries, got 4"):
        decode_message(request, CONTRACT)


@given(st.integers(0, 200), st.integers(0, 255))
def test_damaged_messages_are_refused(place: int, value: int) -> None:
    """One byte changed anywhere gives a request, a refusal or no message, never a crash."""
    raw = bytearray(message().SerializeToString())
    raw[place % len(raw)] = value
    with contextlib.suppress(InvalidTensors, DecodeError):
        decode_message(service_pb2.ModelInferRequest.FromString(bytes(raw)), CONTRACT)
