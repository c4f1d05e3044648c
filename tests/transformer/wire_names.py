"""Names of arbitrary octets, and the many ways in which text may spell one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from contract.name_octets import label_text

Wire = tuple[bytes, ...]

# What real names and attackers put at odd places.
_ODD: Final = [
    b"xn--",
    b"xn--b",
    b"xn--99999999",
    b"XN--a-",
    b"*",
    b"\x00",
    b".",
    b"\\",
    b"128/26",
    b"@",
    b"rpz-ip",
]
_labels = st.one_of(
    st.binary(min_size=1, max_size=63),
    st.from_regex(rb"[A-Za-z0-9_-]{1,12}", fullmatch=True),
    st.from_regex(rb"[Xx][Nn]--[A-Za-z0-9-]{0,59}", fullmatch=True),
    st.sampled_from([*_ODD, b"\xff" * 63]),
)
_NEVER_BARE: Final = frozenset(rb"\./:@") | frozenset(range(0x21)) | frozenset(range(0x7F, 0x100))


def is_legal(wire: Sequence[bytes]) -> bool:
    """Whether labels make a name of at most 255 octets, with lengths and root."""
    return 0 < sum(len(label) + 1 for label in wire) <= 254


def is_dotted_quad(wire: Sequence[bytes]) -> bool:
    """Whether the name is written like an IPv4 address, which no spelling of it can deny."""
    return len(wire) == 4 and all(
        label.isdigit() and int(label) < 256 and (label == b"0" or label[:1] != b"0") for label in wire
    )


wire_names: Final[st.SearchStrategy[Wire]] = st.one_of(
    st.lists(_labels, min_size=1, max_size=6).map(tuple),
    st.lists(st.binary(min_size=1, max_size=1), min_size=1, max_size=127).map(tuple),
    st.builds(lambda below, above: (*below, *above), st.lists(_labels, max_size=3), st.sampled_from(
        [(b"com",), (b"co", b"uk"), (b"github", b"io"), (b"paypal-secure-login", b"xyz"), (b"xn--p1ai",), (b"ck",)]
    )),
).filter(lambda wire: is_legal(wire) and not is_dotted_quad(wire))  # fmt: skip


def canonical(wire: Wire) -> str:
    """The one text of a name."""
    return ".".join(label_text(label.lower()) for label in wire)


@st.composite
def spellings(draw: st.DrawFn, wire: Wire) -> str:
    """One of the texts that RFC 1035 and RFC 4343 allow for a name."""
    labels = ["".join(draw(_spelled(octet)) for octet in label) for label in wire]
    return ".".join(labels) + draw(st.sampled_from(["", "."]))


def _spelled(octet: int) -> st.SearchStrategy[str]:
    number = f"\\{octet:03d}"
    bare = [] if octet in _NEVER_BARE else [chr(octet)]
    # A digit after a backslash would begin a number; beyond ASCII a character is no octet.
    escaped = [f"\\{chr(octet)}"] if octet < 0x80 and not chr(octet).isdigit() else []
    cases = [chr(octet).swapcase(), f"\\{ord(chr(octet).swapcase()):03d}"] if bytes([octet]).isalpha() else []
    return st.sampled_from([*bare, number, *escaped, *cases])
