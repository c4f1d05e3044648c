import hpack
from hypothesis import given
from hypothesis import strategies as st

from load_tests.generator.frames import (
    PADDED,
    PRIORITY,
    FrameReader,
    frame,
    header_block,
    read_settings,
    settings_frame,
    without_padding,
)

FRAMES = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 255), st.integers(0, 2**31 - 1), st.binary(max_size=300))
)
TEXT = st.binary(min_size=1, max_size=70_000)


@given(FRAMES, st.lists(st.integers(1, 40)))
def test_frames_are_read_however_the_bytes_arrive(
    frames: list[tuple[int, int, int, bytes]], cuts: list[int]
) -> None:
    """Frames cut into any pieces on their way are the frames that were written."""
    wire, reader, read = b"".join(frame(*each) for each in frames), FrameReader(), []
    for cut in cuts:
        read += reader.feed(wire[:cut])
        wire = wire[cut:]
    assert read + reader.feed(wire) == frames


@given(st.lists(st.tuples(TEXT, TEXT), max_size=3))
def test_header_literals_are_what_hpack_reads(headers: list[tuple[bytes, bytes]]) -> None:
    """A block of literals, however long, decodes to its headers and leaves the table empty."""
    decoder = hpack.Decoder(max_header_list_size=1 << 20)
    assert [tuple(header) for header in decoder.decode(header_block(headers), raw=True)] == headers
    assert not decoder.header_table.dynamic_entries


def test_settings_come_back() -> None:
    """Settings are read as they were written."""
    settings = {1: 0, 4: 2**31 - 1}
    [(_, _, _, payload)] = FrameReader().feed(settings_frame(settings))
    assert read_settings(payload) == settings


def test_padding_and_priority_are_no_content() -> None:
    """Padding is cut off by the length before it, priority by its own."""
    assert without_padding(0, b"abc") == b"abc"
    assert without_padding(PADDED, b"\x02abcXX") == b"abc"
    assert without_padding(PADDED | PRIORITY, b"\x01....!abcX") == b"abc"
