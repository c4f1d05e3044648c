"""One request for the echo model in every form that the v2 protocol has for it, so that answers can be compared.

json     REST, data as JSON
binary   REST, data behind the JSON
typed    gRPC, data in `contents`; None where the protocol has no field for it
raw      gRPC, data in `raw_input_contents`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson
from tritonclient.grpc import service_pb2

from contract.errors import ERRORS
from contract.tensors import NUMPY_DTYPES
from tests.serving.v2_requests import strings

REST_OF_GRPC: dict[str, set[int]] = {"OK": {200}}
for _error in ERRORS:
    REST_OF_GRPC.setdefault(_error.grpc_status, set()).add(_error.http_status)

_FIELDS = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT64": "uint64_contents",
    "INT16": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Tensor:
    """An input; its values are flat, and may be no such values."""

    name: str
    datatype: str
    shape: Sequence[int]
    values: Sequence[Any]
    parameters: dict[str, Any] = field(default_factory=dict)

    def packed(self) -> bytes:
        """The raw contents."""
        if self.datatype == "BYTES":
            return strings(*(value.encode() for value in self.values))
        return np.array(self.values, NUMPY_DTYPES.get(self.datatype, np.dtype("<f4"))).tobytes()


@dataclass(frozen=True)
class Request:
    """A request; what it lacks is null in JSON where `nulls` is true, and left out otherwise."""

    tensors: Sequence[Tensor]
    parameters: dict[str, Any] = field(default_factory=dict)
    outputs: Sequence[tuple[str, dict[str, Any]]] = ()
    request_id: str = ""
    version: str = ""
    nulls: bool = False

    @property
    def path(self) -> str:
        version = f"/versions/{self.version}" if self.version else ""
        return f"/v2/models/echo{version}/infer"

    def json(self) -> tuple[bytes, dict[str, str]]:
        """Body and headers."""
        return self._document([{"data": list(tensor.values)} for tensor in self.tensors]), {}

    def binary(self) -> tuple[bytes, dict[str, str]]:
        """Body and headers."""
        raws = [tensor.packed() for tensor in self.tensors]
        absent = {"data": None} if self.nulls else {}
        head = self._document([absent | {"parameters": {"binary_data_size": len(raw)}} for raw in raws])
        return b"".join([head, *raws]), {"inference-header-content-length": str(len(head))}

    def _document(self, data: Sequence[dict[str, Any]]) -> bytes:
        inputs = [self._input(tensor, own) for tensor, own in zip(self.tensors, data, strict=True)]
        outputs = [self._absent({"name": name, "parameters": given}) for name, given in self.outputs]
        beside = {"id": self.request_id, "parameters": self.parameters, "outputs": outputs}
        return orjson.dumps(self._absent({"inputs": inputs, **beside}))

    def _input(self, tensor: Tensor, data: dict[str, Any]) -> dict[str, Any]:
        parameters = tensor.parameters | data.get("parameters", {})
        head = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
        return head | data | self._absent({"parameters": parameters})

    def _absent(self, members: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in members.items() if value}
        return dict.fromkeys(members) | given if self.nulls else given

    def raw(self) -> Any:
        """The message."""
        message = self._message()
        message.raw_input_contents.extend(tensor.packed() for tensor in self.tensors)
        return message

    def typed(self) -> Any:
        """The message, or None."""
        message = self._message()
        for tensor, declared in zip(self.tensors, message.inputs, strict=True):
            name = _FIELDS.get(tensor.datatype)
            if name is None:
                return None
            values = [value.encode() if isinstance(value, str) else value for value in tensor.values]
            getattr(declared.contents, name).extend(values)
        return message

    def _message(self) -> Any:
        message = service_pb2.ModelInferRequest(
            model_name="echo", model_version=self.version, id=self.request_id
        )
        _write(message, self.parameters)
        for tensor in self.tensors:
            declared = message.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
            _write(declared, tensor.parameters)
        for name, parameters in self.outputs:
            _write(message.outputs.add(name=name), parameters)
        return message


def _write(holder: Any, parameters: dict[str, Any]) -> None:
    for name, value in parameters.items():
        setattr(holder.parameters[name], _kind(value), value)


def _kind(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return "bool_param"
    if isinstance(value, int):
        return "int64_param" if value in _INT64 else "uint64_param"
    return "string_param" if isinstance(value, str) else "double_param"


def good(**changes: Any) -> Request:
    """Two rows that the echo model takes."""
    tensors = (
        Tensor("values", "FP32", [2, 2], [1, 2.5, 3, 4]),
        Tensor("ids", "INT64", [2], [7, -8]),
        Tensor("names", "BYTES", [2], ["a", "é"]),
    )
    return replace(Request(tensors), **changes)


def with_tensor(name: str, /, **changes: Any) -> Request:
    """The same with one tensor changed."""
    request = good()
    return replace(
        request,
        tensors=[replace(one, **changes) if one.name == name else one for one in request.tensors],
    )


def and_tensor(*more: Tensor) -> Request:
    """The same with optional tensors beside."""
    return good(tensors=[*good().tensors, *more])
