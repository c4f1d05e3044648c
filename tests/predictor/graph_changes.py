"""Ways to break a good request for the predictor, one tensor at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st

from contract.graphs import GRAPH_INPUTS, union
from contract.tensors import NUMPY_DTYPES
from tests.graphs import random_graph
from tests.predictor.graph_requests import GraphRequest, Tensor, request_for

RNG = np.random.default_rng(4)
GOOD = request_for(union([random_graph(RNG, 6, 9) for _ in range(3)]))
GOOD_BYTES = GOOD.message().SerializeToString()
JSON_BODY = json.dumps(GOOD.document()).encode()
NAMES = [spec.name for spec in GRAPH_INPUTS]
CALLERS_FAULT = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}
INT64 = np.iinfo(np.int64)
NUMBERS = st.one_of(
    st.sampled_from([INT64.min, INT64.min + 1, -1, 0, 1, 2, 6, 18, 2**31, 2**32, 2**62, INT64.max]),
    st.integers(-3, 30),
    st.integers(INT64.min, INT64.max),
)
Change = Callable[[Tensor], None]


def write_number(place: int, number: int) -> Change:
    def change(tensor: Tensor) -> None:
        raw = bytearray(tensor.raw)
        first = place % max(1, len(raw) // 8) * 8
        raw[first : first + 8] = number.to_bytes(8, "little", signed=True)[: len(raw) - first]
        tensor.raw = bytes(raw)

    return change


def _write_bytes(place: int, written: bytes) -> Change:
    def change(tensor: Tensor) -> None:
        first = place % (len(tensor.raw) + 1)
        tensor.raw = tensor.raw[:first] + written + tensor.raw[first + len(written) :]

    return change


def _cut(first: int, length: int) -> Change:
    def change(tensor: Tensor) -> None:
        tensor.raw = tensor.raw[: first % (len(tensor.raw) + 1)] + tensor.raw[first + length :]

    return change


def _resize(elements: int) -> Change:
    def change(tensor: Tensor) -> None:
        longest = max(tensor.shape, default=1)
        row = len(tensor.raw) // max(1, longest)
        tensor.shape = [elements if axis == longest else axis for axis in tensor.shape]
        tensor.raw = (tensor.raw * 3)[: max(0, elements) * row]

    return change


def _reshape(shape: list[int]) -> Change:
    def change(tensor: Tensor) -> None:
        tensor.shape = shape

    return change


def _retype(datatype: str) -> Change:
    def change(tensor: Tensor) -> None:
        tensor.datatype = datatype

    return change


def _rename(name: str) -> Change:
    def change(tensor: Tensor) -> None:
        tensor.name = name

    return change


PLACES = st.integers(0, 5000)
CHANGES = st.one_of(
    st.builds(write_number, PLACES, NUMBERS),
    st.builds(write_number, PLACES, NUMBERS),
    st.builds(_write_bytes, PLACES, st.binary(min_size=1, max_size=12)),
    st.builds(_cut, PLACES, st.integers(0, 64)),
    st.builds(_resize, st.integers(0, 40)),
    st.builds(_reshape, st.lists(st.integers(0, 60) | NUMBERS, max_size=4)),
    st.builds(_retype, st.sampled_from([*NUMPY_DTYPES, "", "int64", "\x00"])),
    st.builds(_rename, st.sampled_from(NAMES) | st.text(max_size=20)),
)


def changed(changes: Sequence[tuple[str, Change]]) -> GraphRequest:
    """The good request after changes of the tensors of these names."""
    request = GOOD.copy()
    places = {tensor.name: tensor for tensor in request.tensors}
    for name, change in changes:
        change(places[name])
    return request
