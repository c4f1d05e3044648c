r"""Domain names as one sequence of octets, the only form in which the sidecar compares and keeps them.

A wire name is what stands in a DNS message (RFC 1035, section 3.1): each label after its length, in lower
case (RFC 4343), without the root's length of 0 at the end; the root itself is empty. No spelling, escape or
compression makes two of one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

ROOT: Final = b""
MAX_OCTETS: Final = 254
"""of a wire name: 255 with the root's octet"""
MAX_LABEL: Final = 63
WILDCARD: Final = b"\x01*"
"""before a name: the owner of all names below it"""

_PLAIN_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_PLAIN_LABEL: Final = re.compile(rb"[a-z0-9_-]+")
# A label's next octet: \DDD, a backslash and what it escapes, or a character that stands for itself.
_OCTET: Final = re.compile(r"\\([0-9]{3})|\\([^0-9])|([^\\.])")


class NotAName(ValueError):
    """No name that can be on the wire; the message says why."""


def from_text(text: str) -> bytes:
    r"""The name that is written so, in any spelling of RFC 1035, section 5.1; a dot at its end may be there.

    >>> from_text("WWW.Example.com.")
    b'\x03www\x07example\x03com'
    >>> from_text("www.ex\\097mple.com") == from_text("www.example.com")
    True

    Raises:
        NotAName: an empty label, more than 63 octets in one or 255 in all, or no such escape.
    """
    if not text.isascii():
        raise NotAName("characters beyond ASCII, expected an internationalised name as xn--")
    text = text.lower()
    if _PLAIN_NAME.fullmatch(text):
        return joined([label.encode("ascii") for label in text.split(".")])
    if not text:
        raise NotAName("empty")
    return joined(_labels_in(text)) if text != "." else ROOT


def _labels_in(text: str) -> Iterator[bytes]:
    place = 0
    while place < len(text):
        label = bytearray()
        while place < len(text) and text[place] != ".":
            octet = _OCTET.match(text, place)
            if octet is None:
                raise NotAName("a backslash that escapes nothing")
            label.append(_value(octet))
            place = octet.end()
        yield bytes(label)
        place += 1


def _value(octet: re.Match[str]) -> int:
    value = int(octet[1]) if octet[1] else ord(octet[2] or octet[3])
    if value > 0xFF:
        raise NotAName(f"{octet[0]} is no octet")
    return value


def joined(labels: Iterable[bytes]) -> bytes:
    """The name of these labels, the root's left out.

    Raises:
        NotAName: an empty label, more than 63 octets in one or 255 in all.
    """
    octets = bytearray()
    for label in labels:
        if not 0 < len(label) <= MAX_LABEL:
            raise NotAName(f"a label of {len(label)} octets, expected 1 to {MAX_LABEL}")
        octets.append(len(label))
        octets += label
    if len(octets) > MAX_OCTETS:
        raise NotAName(f"{len(octets) + 1} octets, expected at most {MAX_OCTETS + 1}")
    # Lengths are below the capital letters.
    return bytes(octets).lower()


def labels_of(name: bytes) -> list[bytes]:
    """A name's labels.

    >>> labels_of(from_text("www.example.com"))
    [b'www', b'example', b'com']
    """
    labels = []
    place = 0
    while place < len(name):
        end = place + 1 + name[place]
        labels.append(name[place + 1 : end])
        place = end
    return labels


def to_text(name: bytes) -> str:
    r"""How a name is written: plain characters as they are, all other octets as \DDD, no dot at the end.

    >>> to_text(joined([b"a.b", b"Example"]))
    'a\\046b.example'
    """
    return ".".join([_written(label) for label in labels_of(name)]) or "."


def _written(label: bytes) -> str:
    if _PLAIN_LABEL.fullmatch(label):
        return label.decode("ascii")
    plain = (bytes([octet]) for octet in label)
    return "".join(
        octet.decode("ascii") if _PLAIN_LABEL.fullmatch(octet) else f"\\{octet[0]:03d}" for octet in plain
    )


def parent_of(name: bytes) -> bytes:
    """The name without its first label; the root's is the root.

    >>> to_text(parent_of(from_text("www.example.com")))
    'example.com'
    """
    return name[1 + name[0] :] if name else name


def is_at_or_below(name: bytes, ancestor: bytes) -> bool:
    """Whether a name is another, or stands below it.

    >>> is_at_or_below(from_text("a.example.com"), from_text("example.com"))
    True
    >>> is_at_or_below(from_text("badexample.com"), from_text("example.com"))
    False
    """
    while len(name) > len(ancestor):
        name = parent_of(name)
    return name == ancestor
