"""dnstap in a file, as `fstrm_capture`, BIND and `dnstap -w` write it: Frame Streams from START to STOP."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from resolver.dnstap import BrokenPayload, read_payload
from resolver.frame_streams import MAX_FRAME, BrokenStream, Receiver
from resolver.replay.report import BAD_TIME, DAMAGED, NO_RESPONSE, LeftOut, Report
from resolver.replay.source import Source

BROKEN_PAYLOAD: Final = "broken dnstap payload"
LONG_FRAME: Final = "dnstap frame that is too long"
_CUT: Final = "the stream ends without STOP, in a frame"
_MAX_SECOND: Final = 1 << 32
# Longer ones are no frames, but octets of something else.
_MAX_SKIPPED: Final = 64 << 20


def responses(source: Source, report: Report) -> Iterator[tuple[bytes, int]]:
    """Each response on the wire, and its second; several streams may stand one behind another."""
    for number, payload in enumerate(_payloads(source, report), 1):
        report.at(number)
        try:
            yield _response(payload)
        except LeftOut as why:
            report.leave_out(why.reason, why.detail)


def _response(payload: bytes | None) -> tuple[bytes, int]:
    if payload is None:
        raise LeftOut(LONG_FRAME, f"more than {MAX_FRAME} octets")
    try:
        event = read_payload(payload)
    except BrokenPayload as broken:
        raise LeftOut(BROKEN_PAYLOAD, str(broken)) from None
    if event is None:
        raise LeftOut(NO_RESPONSE)
    if event.time_s >= _MAX_SECOND:
        raise LeftOut(BAD_TIME, f"second {event.time_s}")
    return event.response, event.time_s


def _payloads(source: Source, report: Report) -> Iterator[bytes | None]:
    """Payloads; None for a frame that is too long to be one."""
    receiver = Receiver()
    try:
        while head := source.read(4):
            receiver = Receiver() if receiver.finished else receiver
            yield from _next(source, head, receiver)
            receiver.replies.clear()
    except BrokenStream as broken:
        report.leave_out(DAMAGED, str(broken))


def _next(source: Source, head: bytes, receiver: Receiver) -> Iterator[bytes | None]:
    """What is in the frame that begins so: a payload, or nothing in a control frame."""
    if len(head) < 4:
        raise BrokenStream(_CUT)
    (length,) = struct.unpack("!I", head)
    if MAX_FRAME < length <= _MAX_SKIPPED:
        if not source.skip(length):
            raise BrokenStream(_CUT)
        yield None
        return
    # The receiver refuses a length that no frame has, before anything is read for it.
    yield from receiver.feed(head)
    if length == 0:
        head = _whole(source, 4)
        yield from receiver.feed(head)
        (length,) = struct.unpack("!I", head)
    yield from receiver.feed(_whole(source, length))


def _whole(source: Source, size: int) -> bytes:
    data = source.read(size)
    if len(data) < size:
        raise BrokenStream(_CUT)
    return data
