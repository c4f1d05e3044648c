import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.ragged import offsets_of, ragged_ranges, take_ragged

LISTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=20)


@settings(deadline=None)
@given(LISTS)
def test_ragged_ranges_are_the_ranges_end_to_end(lists: list[tuple[int, int]]) -> None:
    """The flat form holds what a loop over ranges gives, empty ranges included."""
    starts, counts = np.array(lists, np.int64).reshape(-1, 2).T
    expected = [place for start, count in lists for place in range(start, start + count)]
    assert ragged_ranges(starts, counts).tolist() == expected
    assert offsets_of(counts)[-1] == len(expected)


@settings(deadline=None)
@given(LISTS)
def test_take_ragged_cuts_slices_out_of_a_blob(lists: list[tuple[int, int]]) -> None:
    """Byte strings of any lengths, joined in the order asked for."""
    blob = np.arange(60, dtype=np.uint8)
    starts, counts = np.array(lists, np.int64).reshape(-1, 2).T
    expected = b"".join(blob.tobytes()[start : start + count] for start, count in lists)
    assert take_ragged(blob, starts, counts).tobytes() == expected
