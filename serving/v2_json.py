"""v2 requests and responses on REST: JSON, and JSON followed by binary tensors.

The binary layout is Triton's "binary tensor data extension": the JSON comes first, `Inference-Header-
Content-Length` says how long it is, and the raw tensors follow in the order of their declarations.

A member that is null is as if it were not there, as in protobuf's JSON; of two members of one name the last
counts, as in protobuf's wire format; members that the protocol does not know are passed over, as on gRPC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from contract.errors import InvalidTensors
from serving.json_tensor import decode_json, encode_json
from serving.model import InferAnswer, Parameter, RiskModel
from serving.raw_tensor import decode_raw, encode_raw
from serving.tensor_contract import OutputRequest, TensorContract, V2Request, answered, echo, element_count
from serving.tensor_parameters import BINARY_OUTPUT, BINARY_SIZE, check_input, flag, output_is_binary

# RFC 8259, 8.1: a parser may ignore what some editors and .NET put before JSON.
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(slots=True)
class _BinaryTail:
    """The raw tensors after the JSON, handed out in order."""

    rest: memoryview

    def take(self, name: str, size: int) -> memoryview:
        if size > len(self.rest):
            raise InvalidTensors(
                f"input {name}: {BINARY_SIZE} is {size}, but {len(self.rest)} bytes are left in the body"
            )
        raw, self.rest = self.rest[:size], self.rest[size:]
        return raw


def decode_request(body: bytes, json_length: int | None, contract: TensorContract) -> V2Request:
    """Read and check one request.

    Args:
        body: the whole body, decompressed.
        json_length: bytes of JSON at its start; None when the body is JSON only.
        contract: what the model declares.

    Raises:
        InvalidTensors: anything that is not a v2 request for this model; the message says what and where.
    """
    if json_length is not None and json_length > len(body):
        raise InvalidTensors(f"the body has {len(body)} bytes, its header announced {json_length} of JSON")
    document = parse_object(body if json_length is None else memoryview(body)[:json_length])
    parameters = _parameters(document, "request")
    binary = flag(parameters, BINARY_OUTPUT, "request")
    parameters.pop(BINARY_OUTPUT, None)
    tail = _BinaryTail(memoryview(b"" if json_length is None else body)[json_length or 0 :])
    return V2Request(
        inputs=_inputs(document, tail, contract),
        outputs=_outputs(document, contract, binary=binary),
        parameters=parameters,
        request_id=_text(document, "id", "request", default=""),
    )


def parse_object(body: bytes | memoryview) -> dict[str, Any]:
    """The JSON object that a body holds.

    Raises:
        InvalidTensors: no valid UTF-8, no valid JSON, nested too deep, or not an object.
    """
    if body[:3] == _BYTE_ORDER_MARK:
        body = body[3:]
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidTensors(f"the body is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise InvalidTensors(f"expected the body to be a JSON object, got {type(document).__name__}")
    return document


def _inputs(
    document: Mapping[str, Any], tail: _BinaryTail, contract: TensorContract
) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for place, tensor in enumerate(_objects(document, "inputs")):
        name, array = _input(tensor, f"inputs[{place}]", tail, contract, arrays)
        arrays[name] = array
    if len(tail.rest):
        raise InvalidTensors(f"{len(tail.rest)} bytes of the body belong to no input")
    contract.require_all(arrays)
    return arrays


def _input(
    tensor: Mapping[str, Any],
    place: str,
    tail: _BinaryTail,
    contract: TensorContract,
    taken: Mapping[str, np.ndarray],
) -> tuple[str, np.ndarray]:
    name, shape = _text(tensor, "name", place), _shape(tensor, place)
    spec = contract.admit(name, _text(tensor, "datatype", place), shape, taken)
    parameters, data = _parameters(tensor, place), tensor.get("data")
    check_input(parameters, f"input {name}")
    size = parameters.get(BINARY_SIZE)
    if size is None:
        # As on gRPC, a tensor without elements needs no data.
        empty = data is None and element_count(shape) == 0
        return name, decode_json(spec, shape, [] if empty else data)
    if data is not None:
        raise InvalidTensors(f"input {name}: has both data and {BINARY_SIZE}")
    if type(size) is not int or size < 0:
        raise InvalidTensors(f"input {name}: expected {BINARY_SIZE} to be a byte count, got {echo(size)}")
    raw = tail.take(name, size)
    # An unaligned view would be slow in numpy and forbidden in torch; behind odd JSON it is common.
    return name, decode_raw(spec, shape, bytes(raw))


def _outputs(
    document: Mapping[str, Any], contract: TensorContract, *, binary: bool
) -> tuple[OutputRequest, ...]:
    if document.get("outputs") in (None, []):
        return tuple(OutputRequest(every.spec, binary=binary) for every in contract.all_outputs)
    requested: dict[str, OutputRequest] = {}
    for place, output in enumerate(_objects(document, "outputs")):
        spec = contract.output(_text(output, "name", f"outputs[{place}]"), requested)
        parameters = _parameters(output, f"outputs[{place}]")
        chosen = output_is_binary(parameters, f"output {spec.name}", binary)
        requested[spec.name] = OutputRequest(spec, binary=chosen)
    return tuple(requested.values())


def _objects(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    entries = document.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidTensors(f"{key}: expected an array of objects")
    return entries


def _text(holder: Mapping[str, Any], key: str, place: str, default: str | None = None) -> str:
    value = holder.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise InvalidTensors(f"{place}: expected {key} to be a string, got {echo(value)}")
    return value


def _shape(tensor: Mapping[str, Any], place: str) -> list[int]:
    shape = tensor.get("shape")
    if not isinstance(shape, list) or set(map(type, shape)) - {int}:
        raise InvalidTensors(f"{place}: expected shape to be an array of integers, got {echo(shape)}")
    return shape


def _parameters(holder: Mapping[str, Any], place: str) -> dict[str, Parameter]:
    parameters = holder.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise InvalidTensors(f"{place}: expected parameters to be an object, got {echo(parameters)}")
    for name, value in parameters.items():
        if not isinstance(value, str | int | float | bool):
            raise InvalidTensors(f"{place}: parameter {echo(name)} is {echo(value)}, expected a single value")
    return dict(parameters)


@dataclass(frozen=True, slots=True)
class V2Body:
    """A response body; `json_length` is None when it is JSON only."""

    content: bytes
    json_length: int | None = None


def encode_response(
    model: RiskModel, request_id: str, answer: InferAnswer, outputs: tuple[OutputRequest, ...]
) -> V2Body:
    """Write the requested outputs, in the requested order.

    Raises:
        ScoringFailed: a value that JSON cannot carry.
        RuntimeError: the model broke its own declaration.
    """
    entries: list[dict[str, object]] = []
    tail: list[bytes] = []
    for output in outputs:
        array = answered(answer, output.spec)
        entry: dict[str, object] = {
            "name": output.spec.name,
            "datatype": output.spec.datatype,
            "shape": array.shape,
        }
        if output.binary:
            tail.append(encode_raw(output.spec, array))
            entry["parameters"] = {BINARY_SIZE: len(tail[-1])}
        else:
            entry["data"] = encode_json(output.spec, array)
        entries.append(entry)
    document: dict[str, object] = {
        "model_name": model.name,
        "model_version": model.version,
        "id": request_id,
    }
    if answer.parameters:
        document["parameters"] = answer.parameters
    header = orjson.dumps(document | {"outputs": entries}, option=orjson.OPT_SERIALIZE_NUMPY)
    return V2Body(b"".join([header, *tail]), len(header)) if tail else V2Body(header)
