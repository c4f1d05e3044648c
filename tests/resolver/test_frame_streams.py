"""Frame Streams: whatever pieces octets come in, the payloads are the same; what breaks the protocol is refused."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.frame_streams import (
    ACCEPT,
    CONTENT_TYPE,
    FINISH,
    MAX_FRAME,
    READY,
    START,
    STOP,
    BrokenStream,
    Receiver,
    control,
    frame,
)

PAYLOADS = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


def fed(data: bytes, cuts: list[int]) -> tuple[list[bytes], Receiver]:
    """Payloads of a stream that comes in pieces."""
    receiver = Receiver()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[low:high] for low, high in itertools.pairwise(places)]
    return [payload for piece in pieces for payload in receiver.feed(piece)], receiver


@given(PAYLOADS, st.lists(st.integers(0, 3000), max_size=6))
def test_payloads_come_whole_and_in_order(payloads: list[bytes], cuts: list[int]) -> None:
    """The handshake is answered, every payload comes once, and STOP by FINISH."""
    stream = control(READY, CONTENT_TYPE) + control(START, CONTENT_TYPE)
    stream += b"".join(map(frame, payloads)) + control(STOP)
    came, receiver = fed(stream, cuts)
    assert came == payloads
    assert receiver.finished
    assert bytes(receiver.replies) == control(ACCEPT, CONTENT_TYPE) + control(FINISH)


def test_a_sender_without_a_handshake_is_understood() -> None:
    """Unidirectional streams begin with START; no content type means any."""
    came, receiver = fed(control(START) + frame(b"one"), [])
    assert came == [b"one"]
    assert not receiver.replies


@pytest.mark.parametrize(
    ("stream", "complaint"),
    [
        (frame(b"x"), "data before START"),
        (control(READY, b"protobuf:other"), "content type"),
        (control(START) + struct.pack("!I", MAX_FRAME + 1), f"at most {MAX_FRAME}"),
        (struct.pack("!II", 0, 1 << 20), "control frame of 1048576"),
        (struct.pack("!II", 0, 3), "control frame of 3"),
        (control(9), "control frame 9"),
        (control(START) + control(STOP) + control(START), "after STOP"),
        (control(START) + control(STOP) + frame(b"x"), "data after STOP"),
        (control(READY, CONTENT_TYPE) * 2, "READY again"),
        (control(START) + control(READY), "READY again"),
        (control(START) * 2, "START again"),
        (struct.pack("!IIII", 0, 8, READY, 1), "cut short"),
        (struct.pack("!IIIII", 0, 12, READY, 7, 0), "not known"),
    ],
)
def test_what_breaks_the_protocol_is_refused(stream: bytes, complaint: str) -> None:
    """With what came, and what was expected."""
    with pytest.raises(BrokenStream, match=complaint):
        fed(stream, [])


@given(st.binary(max_size=400), st.booleans())
def test_garbage_is_refused_or_waited_for(data: bytes, started: bool) -> None:
    """Any octets: never another error, and never more kept than one frame."""
    receiver = Receiver()
    try:
        list(receiver.feed((control(START) if started else b"") + data))
    except BrokenStream:
        return
