"""One form of a name: whatever it was written like, compared, kept and published as the octets on the wire."""

from __future__ import annotations

import dns.exception
import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.wire_names import NotAName, from_text, is_at_or_below, joined, labels_of, parent_of, to_text

LABELS = st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6)


def spelled(label: bytes, choices: st.DataObject) -> str:
    """A label in one of its many spellings."""
    text = ""
    for octet in label:
        forms = [f"\\{octet:03d}"]
        if 0x20 < octet < 0x7F and chr(octet) not in ".\\":
            forms += [chr(octet), chr(octet).upper()]
        if 0x20 < octet < 0x7F and not chr(octet).isdigit():
            forms.append(f"\\{chr(octet)}")
        text += choices.draw(st.sampled_from(forms))
    return text


@given(LABELS, st.data())
def test_all_spellings_are_one_name(labels: list[bytes], choices: st.DataObject) -> None:
    """Escapes, capitals and the dot at the end change nothing, and dnspython reads the same name."""
    name = joined(labels)
    text = ".".join(spelled(label, choices) for label in labels) + choices.draw(st.sampled_from(["", "."]))
    assert from_text(text) == name
    assert from_text(to_text(name)) == name
    assert dns.name.from_text(text).canonicalize().labels == (*labels_of(name), b"")


@given(st.text(st.sampled_from("aA1-_*.\\0 9é/"), max_size=12) | st.text(max_size=300))
def test_what_is_no_name_is_refused_and_nothing_else(text: str) -> None:
    """Two dots, half an escape, too many octets: what dnspython takes we take, and no text gives two names."""
    try:
        name = from_text(text)
    except NotAName:
        if text.isascii() and text:
            with pytest.raises((dns.exception.DNSException, ValueError)):
                dns.name.from_text(text, origin=dns.name.root)
        return
    assert dns.name.from_text(text, origin=dns.name.root).canonicalize().labels == (*labels_of(name), b"")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a..",
        "a..b",
        ".a",
        "a.tk..",
        "a\\",
        "\\256",
        "a" * 64,
        ".".join(["a" * 63] * 4),
        "bücher.de",
    ],
)
def test_names_that_cannot_be_on_the_wire_are_refused(text: str) -> None:
    """With a reason."""
    with pytest.raises(NotAName, match=r"\w"):
        from_text(text)


def test_octets_are_counted_and_not_characters() -> None:
    """A name of the greatest length is one in every spelling; one octet more is none."""
    labels = [b"\x00" * 63] * 3 + [b"\x00" * 61]
    assert len(from_text(to_text(joined(labels)))) == 254
    with pytest.raises(NotAName, match="256 octets"):
        joined([*labels[:3], b"\x00" * 62])


@given(LABELS, LABELS)
def test_a_name_is_below_those_that_end_it(above: list[bytes], labels: list[bytes]) -> None:
    """By labels: not by the octets that two names happen to end in."""
    name, ancestor = joined([*labels, *above]), joined(above)
    assert is_at_or_below(name, ancestor)
    assert is_at_or_below(ancestor, ancestor)
    assert not is_at_or_below(ancestor, name)
    for _ in labels:
        name = parent_of(name)
    assert name == ancestor
    assert not is_at_or_below(joined([b"x" + above[0], *above[1:]]), ancestor)
