"""v2 requests and responses on gRPC: ModelInferRequest to arrays, arrays to ModelInferResponse.

The messages come as `Any`: KServe's and tritonclient's generated classes describe the same wire format,
but cannot be loaded into one process.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-untyped]
from jaxtyping import Shaped

from contract.errors import InvalidTensors
from contract.tensors import TensorSpec
from serving.model import InferAnswer, Parameter, RiskModel
from serving.protobuf_bytes import varint
from serving.raw_tensor import bytes_array, decode_raw, encode_raw
from serving.tensor_contract import OutputRequest, TensorContract, V2Request, answered, echo, expect_count
from serving.tensor_parameters import BINARY_OUTPUT, check_input, flag, output_is_binary

_CONTENTS_FIELDS: Final = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}

# Kinds of InferParameter in Triton's proto that KServe's lacks, by number and wire type: double_param, which
# is eight bytes, and uint64_param, a varint.
_DOUBLE_KIND: Final = (4, 1)
_UINT64_KIND: Final = (5, 0)
_DOUBLE: Final = struct.Struct("<d")
_UINT64: Final = struct.Struct("<Q")
_LARGEST_INT64: Final = 2**63 - 1


def decode_message(message: Any, contract: TensorContract) -> V2Request:
    """Read and check one ModelInferRequest, with raw contents or typed ones.

    Raises:
        InvalidTensors: anything that is not a v2 request for this model; the message says what and where.
    """
    raws = message.raw_input_contents
    if raws and len(raws) != len(message.inputs):
        raise InvalidTensors(f"raw_input_contents: expected {len(message.inputs)} entries, got {len(raws)}")
    inputs: dict[str, np.ndarray] = {}
    for place, tensor in enumerate(message.inputs):
        spec = contract.admit(tensor.name, tensor.datatype, tensor.shape, inputs)
        check_input(parameters_of(tensor), f"input {spec.name}")
        inputs[spec.name] = _decode_raw(spec, tensor, raws[place]) if raws else _decode_typed(spec, tensor)
    contract.require_all(inputs)
    parameters = parameters_of(message)
    binary = flag(parameters, BINARY_OUTPUT, "request")
    parameters.pop(BINARY_OUTPUT, None)
    return V2Request(inputs, _outputs(message, contract, binary=binary), parameters, message.id)


def _decode_raw(spec: TensorSpec, tensor: Any, raw: bytes) -> Shaped[np.ndarray, "..."]:
    if tensor.HasField("contents"):
        raise InvalidTensors(f"input {spec.name}: has both contents and raw_input_contents")
    return decode_raw(spec, tensor.shape, raw)


def _decode_typed(spec: TensorSpec, tensor: Any) -> Shaped[np.ndarray, "..."]:
    field = _CONTENTS_FIELDS.get(spec.datatype)
    if field is None:
        raise InvalidTensors(f"input {spec.name}: {spec.datatype} travels in raw_input_contents only")
    others = {descriptor.name for descriptor, _ in tensor.contents.ListFields()} - {field}
    if others:
        raise InvalidTensors(f"input {spec.name}: expected {field}, got {min(others)}")
    values = getattr(tensor.contents, field)
    expect_count(spec, tensor.shape, len(values), f"elements in {field}")
    if spec.datatype == "BYTES":
        return bytes_array(list(values), tensor.shape)
    return _narrow(spec, np.array(values, _wire_dtype(spec))).reshape(tensor.shape)


def _wire_dtype(spec: TensorSpec) -> np.dtype:
    # int_contents and uint_contents carry 32 bits whatever the datatype.
    return {"i": np.dtype("int64"), "u": np.dtype("uint64")}.get(spec.dtype.kind, spec.dtype)


def _narrow(spec: TensorSpec, values: Shaped[np.ndarray, " _"]) -> Shaped[np.ndarray, " _"]:
    narrow = values.astype(spec.dtype, copy=False)
    if spec.dtype.kind in "iu" and not np.array_equal(narrow, values):
        place = int(np.argmax(narrow != values))
        raise InvalidTensors(
            f"input {spec.name}: {values[place]} at element {place} does not fit {spec.datatype}"
        )
    return narrow


def _outputs(message: Any, contract: TensorContract, *, binary: bool) -> tuple[OutputRequest, ...]:
    if not message.outputs:
        return contract.all_outputs
    requested: dict[str, OutputRequest] = {}
    for output in message.outputs:
        spec = contract.output(output.name, requested)
        # Every answer is raw here, but what REST refuses to understand is refused here too.
        output_is_binary(parameters_of(output), f"output {spec.name}", binary)
        requested[spec.name] = OutputRequest(spec)
    return tuple(requested.values())


def parameters_of(message: Any) -> dict[str, Parameter]:
    """The parameters of a request, a response or a tensor, also of the kinds that KServe's proto has not.

    Raises:
        InvalidTensors: a parameter without a value, or of a kind that no proto has.
    """
    return {name: _parameter(name, parameter) for name, parameter in message.parameters.items()}


def _parameter(name: str, parameter: Any) -> Parameter:
    chosen = parameter.WhichOneof("parameter_choice")
    if chosen is not None:
        value: Parameter = getattr(parameter, chosen)
        return value
    # The last one counts, as for fields that are known.
    for unknown in reversed(list(UnknownFieldSet(parameter))):
        kind = (unknown.field_number, unknown.wire_type)
        if kind == _DOUBLE_KIND:
            double: float = _DOUBLE.unpack(_UINT64.pack(unknown.data))[0]
            return double
        if kind == _UINT64_KIND:
            return int(unknown.data)
    raise InvalidTensors(f"parameter {echo(name)}: expected a boolean, an integer, a double or a string")


def fill_response(
    message: Any,
    model: RiskModel,
    request_id: str,
    answer: InferAnswer,
    outputs: tuple[OutputRequest, ...],
) -> None:
    """Write the requested outputs into an empty ModelInferResponse, always as raw contents.

    Raises:
        RuntimeError: the model broke its own declaration.
    """
    message.model_name, message.model_version, message.id = model.name, model.version, request_id
    for name, value in answer.parameters.items():
        _write_parameter(message.parameters[name], value)
    for output in outputs:
        array = answered(answer, output.spec)
        message.outputs.add(name=output.spec.name, datatype=output.spec.datatype, shape=array.shape)
        message.raw_output_contents.append(encode_raw(output.spec, array))


def _write_parameter(parameter: Any, value: Parameter) -> None:
    # bool first: it is an int to Python.
    if isinstance(value, bool):
        parameter.bool_param = value
    elif isinstance(value, int) and value <= _LARGEST_INT64:
        parameter.int64_param = value
    elif isinstance(value, int):
        parameter.MergeFromString(_tag(_UINT64_KIND) + varint(value))
    elif isinstance(value, str):
        parameter.string_param = value
    else:
        parameter.MergeFromString(_tag(_DOUBLE_KIND) + _DOUBLE.pack(value))


def _tag(kind: tuple[int, int]) -> bytes:
    number, wire_type = kind
    return bytes((number << 3 | wire_type,))
