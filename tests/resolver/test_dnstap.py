"""dnstap payloads are read as protobuf says, and the client's address is never looked at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.dnstap import RESPONSES, BrokenPayload, payload_of, read_payload

RESPONSE = st.binary(min_size=1, max_size=400)


def field(number: int, kind: int, value: bytes) -> bytes:
    """A field of a protobuf message."""
    tag = number << 3 | kind
    head = bytes([tag]) if tag < 128 else bytes([tag & 127 | 128, tag >> 7])
    return head + (bytes([len(value)]) if kind == 2 else b"") + value


@given(RESPONSE, st.integers(0, 2**40), st.sampled_from(sorted(RESPONSES)))
def test_a_response_is_read(response: bytes, seconds: int, kind: int) -> None:
    """With its second, of every type that carries one; who said so, and of which zone where that is told."""
    assert read_payload(payload_of(response, seconds, kind)) == (response, seconds, kind == 4, b"")
    assert read_payload(payload_of(response, seconds, kind, b"\2tk\0")) == (
        response,
        seconds,
        kind == 4,
        b"\2tk\0",
    )


@pytest.mark.parametrize("kind", [1, 3, 5, 7, 9, 11, 13])
def test_queries_are_no_responses(kind: int) -> None:
    """Other events are passed over."""
    assert read_payload(payload_of(b"wire", 1, kind)) is None


def test_fields_may_come_in_any_order_and_unknown_ones_are_passed_over() -> None:
    """Addresses, ports, nanoseconds, an identity before and a type behind."""
    message = field(14, 2, b"wire") + field(4, 2, b"\x7f\0\0\1") + field(13, 5, b"\0\0\0\0")
    message += field(40, 1, b"12345678") + field(12, 0, b"\x07") + field(1, 0, b"\x06")
    payload = field(1, 2, b"identity") + field(14, 2, message) + field(15, 0, b"\x01")
    assert read_payload(payload) == (b"wire", 7, False, b"")
    assert read_payload(field(1, 2, b"identity")) is None


@pytest.mark.parametrize("payload", [b"\x72", b"\x72\x05\x08", b"\x73\x01", b"\x72\xff\xff\xff"])
def test_what_is_no_payload_is_refused(payload: bytes) -> None:
    """Cut short, or of kinds that do not exist."""
    with pytest.raises(BrokenPayload):
        read_payload(payload)


@given(RESPONSE, st.data())
def test_damaged_payloads_never_raise_anything_else(response: bytes, data: st.DataObject) -> None:
    """Read as something, or refused."""
    payload = bytearray(payload_of(response, 1))
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_payload(bytes(payload[: data.draw(st.integers(0, len(payload)))]))
    except BrokenPayload:
        return
