"""Requests broken at random: the predictor scores them or blames the caller, and lives on."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.graphs import GRAPH_INPUTS, union
from contract.tensors import NUMPY_DTYPES
from tests.graphs import random_graph
from tests.predictor.graph_requests import HTTP_OF_GRPC, Client, GraphRequest, Tensor, request_for
from tests.serving.fronts import ATTACKED

pytestmark = pytest.mark.every_front(*ATTACKED)

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


def _write_number(place: int, number: int) -> Change:
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
    st.builds(_write_number, PLACES, NUMBERS),
    st.builds(_write_number, PLACES, NUMBERS),
    st.builds(_write_bytes, PLACES, st.binary(min_size=1, max_size=12)),
    st.builds(_cut, PLACES, st.integers(0, 64)),
    st.builds(_resize, st.integers(0, 40)),
    st.builds(_reshape, st.lists(st.integers(0, 60) | NUMBERS, max_size=4)),
    st.builds(_retype, st.sampled_from([*NUMPY_DTYPES, "", "int64", "\x00"])),
    st.builds(_rename, st.sampled_from(NAMES) | st.text(max_size=20)),
)


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), CHANGES), min_size=1, max_size=3))
@example([("node_offsets", _write_number(1, INT64.min))])
def test_mutated_tensors_are_scored_or_refused(client: Client, changes: list[tuple[str, Change]]) -> None:
    """Whatever becomes of its tensors, a request is answered OK or a caller's fault, alike on both protocols."""
    request = GOOD.copy()
    places = {tensor.name: tensor for tensor in request.tensors}
    for name, change in changes:
        change(places[name])
    _answered_alike(client, request)


def _answered_alike(client: Client, request: GraphRequest) -> None:
    answer = client.grpc(request.message())
    assert answer.code in CALLERS_FAULT, answer
    if answer.code == "OK":
        assert np.isfinite(answer.risk_score).all()
        assert ((answer.risk_score >= 0) & (answer.risk_score <= 1)).all()
    status, document = client.rest(*request.binary())
    assert status in HTTP_OF_GRPC[answer.code], (answer, document)


@settings(max_examples=250, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD_BYTES) - 1), st.binary(min_size=1, max_size=4)),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 200),
)
def test_mutated_messages_are_scored_or_refused(
    client: Client, writes: list[tuple[int, bytes]], cut: int
) -> None:
    """Bytes of a message overwritten and cut at random are a caller's fault at most."""
    raw = bytearray(GOOD_BYTES)
    for place, written in writes:
        raw[place : place + len(written)] = written
    assert client.code_of(bytes(raw[: len(raw) - cut])) in CALLERS_FAULT


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=6)), min_size=1, max_size=4),
    st.booleans(),
)
def test_mutated_bodies_are_scored_or_refused(
    client: Client, writes: list[tuple[int, bytes]], binary: bool
) -> None:
    """Bytes of a REST body overwritten at random are a 4xx at most."""
    good, headers = GOOD.binary() if binary else (JSON_BODY, {})
    body = bytearray(good)
    for place, written in writes:
        first = place % len(body)
        body[first : first + len(written)] = written
    status, document = client.rest(bytes(body), headers)
    assert status == 200 or 400 <= status < 500, document


def test_the_fuzzed_server_still_scores(client: Client) -> None:
    """After all that, the good request is answered as ever."""
    assert client.grpc(GOOD.message()).code == "OK"
    assert client.http.get("/v2/health/ready").status_code == 200
