"""Requests broken at random: the predictor scores them or blames the caller, and lives on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.predictor.graph_changes import (
    CALLERS_FAULT,
    CHANGES,
    GOOD,
    GOOD_BYTES,
    INT64,
    JSON_BODY,
    NAMES,
    Change,
    changed,
    write_number,
)
from tests.predictor.graph_requests import HTTP_OF_GRPC, Client, GraphRequest
from tests.serving.fronts import ATTACKED

pytestmark = pytest.mark.every_front(*ATTACKED)


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), CHANGES), min_size=1, max_size=3))
@example([("node_offsets", write_number(1, INT64.min))])
def test_mutated_tensors_are_scored_or_refused(client: Client, changes: list[tuple[str, Change]]) -> None:
    """Whatever becomes of its tensors, a request is answered OK or a caller's fault, alike on both protocols."""
    _answered_alike(client, changed(changes))


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
