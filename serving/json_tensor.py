"""Tensors as JSON: flat or nested lists to arrays and back, without a Python loop over elements.

Kinds are compared by ``set(map(type, …))``, which runs in C: numpy alone would read true as 1, "1.5" as a
number, and 300 as the UINT8 44.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from jaxtyping import Shaped

from contract.errors import InvalidTensors, ScoringFailed
from contract.tensors import TensorSpec
from serving.raw_tensor import bytes_array
from serving.tensor_contract import echo, expect_count

_JSON_NAMES: Final = {
    bool: "a boolean",
    int: "an integer",
    float: "a number with a fraction",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def decode_json(spec: TensorSpec, shape: Sequence[int], data: object) -> Shaped[np.ndarray, "..."]:
    """The tensor of a declared input from the `data` of a v2 request, flat in row-major order or nested.

    Raises:
        InvalidTensors: data that is no array, of another length or nesting than the shape says, or with
            an element of another kind or out of the datatype's range.
    """
    if not isinstance(data, list):
        raise InvalidTensors(f"input {spec.name}: expected data to be an array, got {_kind(type(data))}")
    nested = bool(data) and isinstance(data[0], list)
    elements = _flatten(spec, shape, data) if nested else data
    expect_count(spec, shape, len(elements))
    _check_kinds(spec, elements)
    if spec.datatype == "BYTES":
        return bytes_array(list(map(str.encode, elements)), shape)
    return _numbers(spec, elements).reshape(shape)


def _flatten(spec: TensorSpec, shape: Sequence[int], data: list[Any]) -> list[Any]:
    level = [data]
    for axis, length in enumerate(shape):
        if set(map(type, level)) - {list} or set(map(len, level)) - {length}:
            raise InvalidTensors(
                f"input {spec.name}: expected arrays of length {length} on axis {axis} "
                f"for shape {list(shape)}"
            )
        level = list(chain.from_iterable(level))
    return level


def _check_kinds(spec: TensorSpec, elements: list[Any]) -> None:
    wrong = set(map(type, elements)) - _admitted_kinds(spec)
    if wrong:
        place = next(index for index, element in enumerate(elements) if type(element) in wrong)
        raise InvalidTensors(
            f"input {spec.name}: expected {spec.datatype} elements, got {_kind(type(elements[place]))} "
            f"at element {place}"
        )


def _admitted_kinds(spec: TensorSpec) -> set[type]:
    kinds: dict[str, set[type]] = {"O": {str}, "b": {bool}, "f": {float, int}}
    return kinds.get(spec.dtype.kind, {int})


def _kind(kind: type) -> str:
    return _JSON_NAMES.get(kind, kind.__name__)


def _numbers(spec: TensorSpec, elements: list[Any]) -> Shaped[np.ndarray, " _"]:
    if spec.dtype.kind == "b":
        return np.array(elements, np.bool_)
    if spec.dtype.kind != "f":
        return _integers(spec, elements)
    with np.errstate(over="ignore"):
        values = np.array(elements, spec.dtype)
    # JSON has no infinity, so one here is a number too large for the datatype.
    if not np.isfinite(values).all():
        place = int(np.argmin(np.isfinite(values)))
        _refuse_range(spec, elements[place], place)
    return values


def _integers(spec: TensorSpec, elements: list[Any]) -> Shaped[np.ndarray, " _"]:
    limits = np.iinfo(spec.dtype)
    lowest, highest = min(elements, default=0), max(elements, default=0)
    if lowest < limits.min or highest > limits.max:
        outlier = lowest if lowest < limits.min else highest
        _refuse_range(spec, outlier, elements.index(outlier))
    return np.array(elements, spec.dtype)


def _refuse_range(spec: TensorSpec, value: object, place: int) -> None:
    raise InvalidTensors(f"input {spec.name}: {echo(value)} at element {place} does not fit {spec.datatype}")


def encode_json(spec: TensorSpec, array: Shaped[np.ndarray, "..."]) -> object:
    """What orjson (with OPT_SERIALIZE_NUMPY) dumps as the flat `data` of an output.

    BYTES that are not UTF-8 are written with backslash escapes, since JSON cannot carry them.

    Raises:
        ScoringFailed: a value that JSON has no number for.
    """
    flat = array.ravel()
    if spec.datatype == "BYTES":
        return [value.decode("utf-8", "backslashreplace") for value in flat.tolist()]
    if spec.dtype.kind == "f" and not np.isfinite(flat).all():
        raise ScoringFailed(f"output {spec.name}: the model answered a value that is not finite")
    return flat
