from hypothesis import given
from hypothesis import strategies as st

from contract.name_octets import PLAIN_OCTETS, label_text, octets_of, text_of

labels = st.binary(min_size=1, max_size=63).map(bytes.lower)
wire_names = st.lists(labels, min_size=1, max_size=5)


def text(wire: list[bytes]) -> str:
    return ".".join(map(label_text, wire))


@given(wire_names)
def test_octets_and_text_tell_the_same(wire: list[bytes]) -> None:
    """Each is found from the other, an octet of the wire is one byte, and dots stand between labels alone."""
    octets = octets_of(text(wire))
    assert len(octets) == sum(map(len, wire)) + len(wire) - 1
    assert list(map(len, octets.split(b"."))) == list(map(len, wire))
    assert text_of(octets) == text(wire)


@given(wire_names, wire_names)
def test_names_that_differ_have_other_octets_and_another_text(one: list[bytes], other: list[bytes]) -> None:
    """No two names on the wire meet in a graph."""
    assert (octets_of(text(one)) == octets_of(text(other))) == (text(one) == text(other)) == (one == other)


def test_a_dot_within_a_label_is_another_name() -> None:
    """The octets of `a.b` as two labels and as one are not the same."""
    assert octets_of("a.b") != octets_of(r"a\046b")
    assert octets_of(r"a\092046b") != octets_of(r"a\046b")


def test_what_reads_as_a_separator_or_an_escape_is_never_plain() -> None:
    """Nor is what a person would not see."""
    assert PLAIN_OCTETS.isdisjoint(rb".\/:@ ")
    assert min(PLAIN_OCTETS) > 0x20
    assert max(PLAIN_OCTETS) < 0x7F
