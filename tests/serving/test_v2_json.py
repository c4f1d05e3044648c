from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidTensors
from contract.tensors import TensorSpec
from serving.model import InferAnswer, InferCall, RiskModel
from serving.raw_tensor import bytes_array, decode_raw
from serving.tensor_contract import TensorContract
from serving.v2_json import decode_request, encode_response
from tests.serving.v2_requests import document, with_input

SPECS = (
    TensorSpec("values", "FP32", (-1, 2)),
    TensorSpec("ids", "INT64", (-1,)),
    TensorSpec("names", "BYTES", (-1,)),
)
CONTRACT = TensorContract("echo", SPECS, SPECS)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


class Echo(RiskModel):
    """A model that answers its inputs."""

    async def infer(self, call: InferCall) -> InferAnswer:
        """Nothing is computed."""
        return InferAnswer(dict(call.inputs))


MODEL = Echo("echo", "7", SPECS, SPECS)


@given(st.data())
def test_any_part_of_a_request_may_be_anything(data: st.DataObject) -> None:
    """Whatever JSON stands in any place of a request, it is understood or refused, never a crash."""
    request: Any = document()
    tensor = request["inputs"][data.draw(st.integers(0, 2))]
    holder = data.draw(st.sampled_from([request, tensor]))
    holder[data.draw(st.sampled_from([*holder, "id", "outputs", "parameters"]))] = data.draw(JSON)
    try:
        body = orjson.dumps(request)
    except TypeError:
        return
    with contextlib.suppress(InvalidTensors):
        decode_request(body, None, CONTRACT)


@given(st.binary(max_size=100), st.integers(0, 200))
def test_any_bytes_are_refused(body: bytes, json_length: int) -> None:
    """Bytes that are no request are refused, whatever length their header announces."""
    with contextlib.suppress(InvalidTensors):
        decode_request(body, json_length, CONTRACT)


@given(st.lists(st.tuples(st.floats(width=32), st.integers(-(2**63), 2**63 - 1), st.binary(max_size=5))))
def test_binary_responses_decode_to_the_answer(rows: list[tuple[float, int, bytes]]) -> None:
    """A binary response holds every value bit for bit, NaN included, behind a header that tells the sizes."""
    arrays = {
        "values": np.array([[row[0], 0] for row in rows], np.float32).reshape(-1, 2),
        "ids": np.array([row[1] for row in rows], np.int64),
        "names": bytes_array([row[2] for row in rows], [len(rows)]),
    }
    asked = orjson.dumps(document(parameters={"binary_data_output": True}))
    outputs = decode_request(asked, None, CONTRACT).outputs
    body = encode_response(MODEL, "r", InferAnswer(arrays), outputs)
    assert body.json_length is not None
    header, place = orjson.loads(body.content[: body.json_length]), body.json_length
    for entry, spec in zip(header["outputs"], SPECS, strict=True):
        size = entry["parameters"]["binary_data_size"]
        decoded = decode_raw(spec, entry["shape"], body.content[place : place + size])
        assert np.array_equal(decoded, arrays[spec.name], equal_nan=spec.name == "values")
        place += size
    assert place == len(body.content)


def test_response_parameters_are_left_out_when_there_are_none() -> None:
    """A plain answer is model, version, id and outputs, nothing empty."""
    request = decode_request(orjson.dumps(document(outputs=[{"name": "ids"}])), None, CONTRACT)
    body = encode_response(MODEL, "r", InferAnswer(request.inputs), request.outputs)
    assert orjson.loads(body.content) == {
        "model_name": "echo",
        "model_version": "7",
        "id": "r",
        "outputs": [{"name": "ids", "datatype": "INT64", "shape": [2], "data": [7, -8]}],
    }


@pytest.mark.parametrize("key", ["id", "parameters", "outputs"])
def test_a_member_that_is_null_is_as_if_it_were_not_there(key: str) -> None:
    """Null means absent for everything that may be absent, at the top and inside."""
    absent = decode_request(orjson.dumps(document()), None, CONTRACT)
    inside = {"name": "ids", "parameters": None}
    null = decode_request(orjson.dumps(document(**{key: None})), None, CONTRACT)
    assert (null.request_id, null.parameters, null.outputs) == ("", {}, absent.outputs)
    nested = document(inputs=[tensor | {"parameters": None} for tensor in document()["inputs"]])
    assert decode_request(orjson.dumps(nested | {"outputs": [inside]}), None, CONTRACT).outputs
    with_size = with_input("ids", data=None, parameters={"binary_data_size": 16})
    with_size["inputs"][1]["data"] = None
    head = orjson.dumps(with_size)
    assert decode_request(head + bytes(16), len(head), CONTRACT).inputs["ids"].tolist() == [0, 0]


@pytest.mark.parametrize("outputs", [{}, "", 0, False, 0.0, "ids", [None], [[]]])
def test_outputs_that_are_no_list_are_refused(outputs: object) -> None:
    """What is no list of outputs does not silently mean all of them."""
    with pytest.raises(InvalidTensors, match="outputs: expected an array of objects"):
        decode_request(orjson.dumps(document(outputs=outputs)), None, CONTRACT)


@pytest.mark.parametrize("value", ["false", 0, 1, "", 0.0])
def test_flags_are_true_or_false(value: object) -> None:
    """A word or a number is not taken for true, wherever binary outputs are asked for."""
    asked = [{"name": "ids", "parameters": {"binary_data": value}}]
    for request in (document(outputs=asked), document(parameters={"binary_data_output": value})):
        with pytest.raises(InvalidTensors, match="to be true or false"):
            decode_request(orjson.dumps(request), None, CONTRACT)


def test_a_byte_order_mark_is_passed_over() -> None:
    """JSON as .NET and some editors write it is read, alone and before binary tensors."""
    plain = b"\xef\xbb\xbf" + orjson.dumps(document(id="1"))
    for length in (None, len(plain)):
        assert decode_request(plain, length, CONTRACT).request_id == "1"


def test_the_last_of_two_members_counts() -> None:
    """As in protobuf's wire format; and members that nobody knows are passed over."""
    body = orjson.dumps(document(model_name="other", x=[None]))[:-1] + b',"id":"1","id":"2"}'
    assert decode_request(body, None, CONTRACT).request_id == "2"


def test_a_tensor_without_elements_needs_no_data() -> None:
    """As on gRPC, where nothing is written for none; a tensor with elements does."""
    empty = [{"name": spec.name, "datatype": spec.datatype, "shape": [0, *spec.shape[1:]]} for spec in SPECS]
    assert decode_request(orjson.dumps({"inputs": empty}), None, CONTRACT).inputs["values"].shape == (0, 2)
    with pytest.raises(InvalidTensors, match="expected data to be an array, got null"):
        decode_request(orjson.dumps(with_input("ids", data=None)), None, CONTRACT)
