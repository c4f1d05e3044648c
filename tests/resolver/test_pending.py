"""Names wait once each, those with a caller first, and never more than allowed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.pending import Pending

OFFERS = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f", b"g"]),
        st.sampled_from(["", "A 192.0.2.1"]),
        st.booleans(),
    )
)


def test_whoever_is_waited_for_goes_first() -> None:
    """Also a name that stood in line already."""
    line = Pending(10)
    line.offer(b"a", "")
    line.offer(b"b", "A 192.0.2.1")
    line.offer(b"c", "")
    line.offer(b"b", "", awaited=True)
    assert list(line.take(2).items()) == [(b"b", "A 192.0.2.1"), (b"a", "")]
    assert line.take(2) == {b"c": ""}


def test_the_newest_are_left_out() -> None:
    """When the line is full, what stands in it stays."""
    line = Pending(2)
    assert [line.offer(name.encode(), "") for name in "abcab"] == [True, True, False, True, True]
    assert line.shed == 1
    assert list(line.take(9)) == [b"a", b"b"]


@given(OFFERS, st.integers(1, 5), st.integers(1, 4))
def test_nobody_is_lost_or_doubled(offers: list[tuple[bytes, str, bool]], most: int, batch: int) -> None:
    """What was taken in comes out, once, with an answer if one came; the bound holds at every moment."""
    line = Pending(most)
    taken_in: dict[bytes, str] = {}
    for name, answers, awaited in offers:
        if line.offer(name, answers, awaited=awaited):
            taken_in[name] = taken_in.get(name) or answers
        assert len(line) <= most
    out: list[bytes] = []
    while len(line):
        for name, answers in line.take(batch).items():
            assert bool(answers) == bool(taken_in[name])
            out.append(name)
    assert sorted(out) == sorted(taken_in)
