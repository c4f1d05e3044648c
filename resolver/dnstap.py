"""dnstap payloads: the response inside, and when it came; nothing of the client is looked at.

A dnstap payload is a protobuf message (dnstap.proto of dnstap.info): field 14 of `Dnstap` is a `Message`,
whose field 1 is its type, 11 the zone of an authority that was asked, 12 the second of the response and 14
that response.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# Message types whose response was seen on the wire: what an authority answered a resolver, what the resolver
# answered a client, and what resolvers that it leaves the work to answered it.
_RESOLVER_RESPONSE: Final = 4
RESPONSES: Final = frozenset({_RESOLVER_RESPONSE, 6, 8, 10})
_MESSAGE: Final = 14 << 3 | 2
_TYPE: Final = 1 << 3
_RESPONSE_SEC: Final = 12 << 3
_RESPONSE_MESSAGE: Final = 14 << 3 | 2
_QUERY_ZONE: Final = 11 << 3 | 2
_FIXED: Final = {1: 8, 5: 4}


class BrokenPayload(Exception):
    """No dnstap payload."""


class Event(NamedTuple):
    """A response that a resolver gave or got."""

    response: bytes
    time_s: int
    """seconds since 1970; 0 where it is not said"""
    upstream: bool
    """whether an authority said so, which speaks for its own zone only"""
    zone: bytes
    """this zone as it is on the wire, with the root's octet; empty where it is not said"""


def read_payload(payload: bytes) -> Event | None:  # noqa: C901, PLR0912 - one loop over fields, for speed
    """The response in a payload; None for other events.

    Raises:
        BrokenPayload: a field leaves the payload, or is of a kind that protobuf does not know.
    """
    try:
        place, end = _message(payload)
        if end < 0:
            return None
        kind = seconds = 0
        response = zone = b""
        while place < end:
            tag = payload[place]
            wire_type = tag & 7
            place += 1
            if tag >= 128:
                place = _past_varint(payload, place)
            if wire_type == 2:
                length = payload[place]
                place += 1
                if length >= 128:
                    length, place = _varint(payload, place - 1)
                if tag == _RESPONSE_MESSAGE:
                    response = payload[place : place + length]
                elif tag == _QUERY_ZONE:
                    zone = payload[place : place + length]
                place += length
            elif wire_type == 0:
                value, place = _varint(payload, place)
                if tag == _TYPE:
                    kind = value
                elif tag == _RESPONSE_SEC:
                    seconds = value
            else:
                place += _FIXED[wire_type]
        if place != end or end > len(payload):
            raise BrokenPayload("a field leaves its message")
    except (IndexError, KeyError):
        raise BrokenPayload("no protobuf message") from None
    return (
        Event(response, seconds, kind == _RESOLVER_RESPONSE, zone) if kind in RESPONSES and response else None
    )


def _message(payload: bytes) -> tuple[int, int]:
    """Where the `Message` begins and ends; -1 as its end where there is none."""
    place, end = 0, len(payload)
    while place < end:
        tag = payload[place]
        place += 1
        if tag >= 128:
            place = _past_varint(payload, place)
        wire_type = tag & 7
        if wire_type == 2:
            length, place = _varint(payload, place)
            if tag == _MESSAGE:
                return place, place + length
            place += length
        elif wire_type == 0:
            place = _past_varint(payload, place)
        else:
            place += _FIXED[wire_type]
    if place != end:
        raise BrokenPayload("a field leaves its message")
    return end, -1


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = data[place]
        place += 1
        value |= (octet & 127) << shift
        if octet < 128:
            return value, place
        shift += 7
        if shift > 63:
            raise BrokenPayload("a number of more than ten octets")


def _past_varint(data: bytes, place: int) -> int:
    while data[place] >= 128:
        place += 1
    return place + 1


def payload_of(response: bytes, seconds: int, kind: int = 6, zone: bytes = b"") -> bytes:
    """A payload as a resolver sends it, without addresses; for replays."""
    message = b"\x08" + _as_varint(kind) + b"\x60" + _as_varint(seconds)
    if zone:
        message += b"\x5a" + _as_varint(len(zone)) + zone
    message += b"\x72" + _as_varint(len(response)) + response
    return b"\x72" + _as_varint(len(message)) + message + b"\x78\x01"


def _as_varint(value: int) -> bytes:
    octets = bytearray()
    while value >= 128:
        octets.append(value & 127 | 128)
        value >>= 7
    octets.append(value)
    return bytes(octets)
