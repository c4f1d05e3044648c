from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidTensors
from serving.request_context import forwardable, identify, timeout_s


@given(st.text(max_size=600))
def test_only_printable_ascii_goes_downstream(value: str) -> None:
    """Whatever a caller writes into a header, gRPC metadata made of it is legal."""
    for travelling in forwardable([("traceparent", value)]).values():
        assert 0 < len(travelling) <= 512
        assert all(" " <= letter <= "~" for letter in travelling)


def test_secrets_stay_here() -> None:
    """Authorization, cookies and unknown headers are not forwarded."""
    sent = [
        ("authorization", "x"),
        ("cookie", "x"),
        ("x-other", "x"),
        ("traceparent", "t"),
        ("tracestate", "s"),
    ]
    assert forwardable(sent) == {"traceparent": "t", "tracestate": "s"}


def test_identity_prefers_the_requests_own() -> None:
    """The id in the request wins, then x-request-id, then a new UUID; one always goes downstream."""
    forward = {"x-request-id": "header"}
    assert identify("own", forward) == "own"
    assert forward == {"x-request-id": "header"}
    assert identify("", forward) == "header"
    fresh: dict[str, str] = {}
    assert str(uuid.UUID(identify("", fresh))) == fresh["x-request-id"]
    unfit: dict[str, str] = {}
    assert identify("ü", unfit) == "ü"
    assert unfit == {}


@pytest.mark.parametrize("header", ["", "0", "-5", "1.5", "soon", "٣", "9" * 40])
def test_bad_timeouts_are_refused(header: str) -> None:
    """A deadline that is no positive integer is refused, not ignored."""
    with pytest.raises(InvalidTensors, match="positive integer of milliseconds"):
        timeout_s(header)
