"""Frames at random, good and damaged: whatever their order, the server answers others and logs no traceback."""

from __future__ import annotations

import os
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile_http2 import frames
from tests.hostile_http2.attacker import Attacker
from tests.hostile_http2.calls import head, infer
from tests.hostile_http2.frames import PREFACE, Flag, Kind, frame
from tests.hostile_http2.survival import Survivor
from tests.serving.fronts import ATTACKED
from tests.serving.server_process import ServerProcess

# The long form: DNS_RISK_FUZZ=10000.
LONG = int(os.environ.get("DNS_RISK_FUZZ", "1000"))
pytestmark = pytest.mark.every_front(*ATTACKED)

BODY = infer()
NUMBERS = st.sampled_from([0, 1, 1, 1, 3, 3, 5, 7, 2, 4, 2**31 - 1, 2**31, 2**32 - 1])
VALUES = st.sampled_from([0, 1, 2, 100, 16_383, 16_384, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 1])
FLAGS = st.sampled_from([0, 0, 1, 4, 5, 8, 0x20, 0x24, 0x2D]) | st.integers(0, 255)


def _static(*pairs: tuple[str, str]) -> bytes:
    # Literals without indexing, so that a block means the same wherever it comes.
    parts = [
        bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode() for name, value in pairs
    ]
    return b"".join(parts)


GOOD_BLOCK = _static(*head())
BLOCKS = st.sampled_from(
    [GOOD_BLOCK, GOOD_BLOCK, _static(*head(path="/a/b")), _static(("a", "b")), b"\x82\x84"]
)
PARTS = st.integers(0, len(BODY)).map(lambda place: BODY[:place]) | st.binary(max_size=30)


def _request(number: int) -> bytes:
    return frames.headers(number, GOOD_BLOCK) + frames.data(number, BODY, end=True)


FRAMES = st.one_of(
    st.builds(_request, NUMBERS),
    st.builds(frame, st.just(Kind.HEADERS), FLAGS, NUMBERS, BLOCKS),
    st.builds(frame, st.just(Kind.HEADERS), st.just(Flag.END_HEADERS), NUMBERS, BLOCKS),
    st.builds(frame, st.just(Kind.CONTINUATION), FLAGS, NUMBERS, BLOCKS | st.binary(max_size=30)),
    st.builds(frame, st.just(Kind.DATA), FLAGS, NUMBERS, PARTS),
    st.builds(frames.settings, st.tuples(st.integers(0, 9), VALUES)),
    st.builds(frames.window_update, NUMBERS, VALUES),
    st.builds(frames.reset, NUMBERS, st.integers(0, 15)),
    st.builds(frames.ping, st.just(b"fuzz\0\0\0\0"), ack=st.booleans()),
    st.builds(frame, st.integers(0, 12), FLAGS, NUMBERS, st.binary(max_size=40)),
    st.builds(
        frame,
        st.integers(0, 12),
        FLAGS,
        NUMBERS,
        st.binary(max_size=40),
        VALUES.map(lambda size: size % 2**24),
    ),
)
DAMAGE = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 127)), max_size=3)


def _damaged(raw: bytes, damage: list[tuple[int, int]]) -> bytes:
    changed = bytearray(raw)
    for place, value in damage:
        changed[place % len(raw)] = value
    return bytes(changed)


def _attack(server: ServerProcess, raw: bytes, survivor: Survivor) -> None:
    with closing(Attacker(server.grpc_port)) as peer:
        peer.send(raw)
        peer.send(frames.ping(b"the end."))
        peer.read(lambda: bool(peer.pongs or peer.farewells), limit_s=0.05)
        survivor.answers()


def _fuzz(server: ServerProcess, survivor: Survivor, options: settings) -> None:
    @settings(options, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(FRAMES, min_size=1, max_size=12), DAMAGE, st.booleans())
    def any_frames(parts: list[bytes], damage: list[tuple[int, int]], greeted: bool) -> None:
        raw = b"".join(parts)
        greeting = PREFACE + frames.settings() if greeted else b""
        _attack(server, greeting + _damaged(raw, damage), survivor)

    any_frames()


def test_random_frames_harm_nobody(server: ServerProcess, survivor: Survivor) -> None:
    """Some hundred connections, always the same, after each of which a good client is answered."""
    _fuzz(server, survivor, settings(max_examples=200, derandomize=True))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_random_frames_harm_nobody(server: ServerProcess, survivor: Survivor, front: str) -> None:
    """A thousand, never the same; $DNS_RISK_FUZZ of them where it is set."""
    if front == "grpcio":
        pytest.skip("grpc.aio serves nobody any more after a path that is no UTF-8")
    _fuzz(server, survivor, settings(max_examples=LONG))
