"""Tensors as bytes, for gRPC and REST-binary: little-endian elements, or strings with their lengths."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Shaped

from contract.errors import InvalidTensors
from contract.tensors import TensorSpec
from serving.tensor_contract import element_count, expect_count

_LENGTH: Final = struct.Struct("<I")


def decode_raw(spec: TensorSpec, shape: Sequence[int], raw: bytes | memoryview) -> Shaped[np.ndarray, "..."]:
    """The tensor of a declared input; a read-only view of `raw` except for BYTES.

    Raises:
        InvalidTensors: too few or too many bytes for the shape, a BOOL other than 0 and 1.
    """
    if spec.datatype == "BYTES":
        return bytes_array(_decode_strings(spec, element_count(shape), raw), shape)
    itemsize = spec.dtype.itemsize
    if len(raw) != element_count(shape) * itemsize:
        raise InvalidTensors(
            f"input {spec.name}: expected {element_count(shape) * itemsize} bytes for {spec.datatype} "
            f"of shape {list(shape)}, got {len(raw)}"
        )
    if not raw:
        return np.empty(shape, spec.dtype)
    flat = np.frombuffer(raw, np.uint8 if spec.datatype == "BOOL" else spec.dtype)
    return (_as_bool(spec, flat) if spec.datatype == "BOOL" else flat).reshape(shape)


def _as_bool(spec: TensorSpec, flat: Shaped[np.ndarray, " _"]) -> Bool[np.ndarray, " _"]:
    if flat.max() > 1:
        raise InvalidTensors(f"input {spec.name}: expected BOOL bytes 0 or 1, got {flat.max()}")
    return flat.view(np.bool_)


def _decode_strings(spec: TensorSpec, count: int, raw: bytes | memoryview) -> list[bytes]:
    raw = bytes(raw)
    # Each string has a prefix, so a claimed count beyond this is refused before the loop.
    if count * _LENGTH.size > len(raw):
        expect_count(spec, [count], len(raw) // _LENGTH.size, "length-prefixed strings")
    strings, start, size = [], 0, len(raw)
    for index in range(count):
        begin = start + _LENGTH.size
        if begin > size:
            raise InvalidTensors(f"input {spec.name}: data ends inside the length of string {index}")
        start = begin + _LENGTH.unpack_from(raw, begin - _LENGTH.size)[0]
        if start > size:
            raise InvalidTensors(
                f"input {spec.name}: string {index} claims {start - begin} bytes, {size - begin} are left"
            )
        strings.append(raw[begin:start])
    if start != size:
        raise InvalidTensors(f"input {spec.name}: {size - start} bytes too many after {count} strings")
    return strings


def encode_raw(spec: TensorSpec, array: Shaped[np.ndarray, "..."]) -> bytes:
    """The bytes of a tensor; undoes `decode_raw`."""
    if spec.datatype != "BYTES":
        return array.astype(spec.dtype, copy=False).tobytes()
    strings = array.ravel().tolist()
    prefixes = map(_LENGTH.pack, map(len, strings))
    return b"".join(chain.from_iterable(zip(prefixes, strings, strict=True)))


def bytes_array(strings: Sequence[Any], shape: Sequence[int]) -> Shaped[np.ndarray, "..."]:
    """An object array of byte strings; numpy's own conversion would strip trailing zero bytes."""
    array = np.empty(len(strings), dtype=object)
    array[:] = strings
    return array.reshape(shape)
