r"""Names as numbers see them: one byte for each octet on the wire, and a dot between labels.

The canonical text of a name is lower case, without root dot; an octet outside printable ASCII, and each of
``\ . / : @`` within a label, is written as ``\DDD`` (RFC 1035, 5.1), so that a name of 253 octets has a text
of up to 1,003 characters. Models and features see the octets themselves. A dot within a label would be taken
for one between labels: it is a capital letter here, which no name in lower case has.
"""

from __future__ import annotations

import re
from typing import Final

PLAIN_OCTETS: Final = frozenset(range(0x21, 0x7F)) - frozenset(rb"\./:@")
_DOT, _DOT_WITHIN = ord("."), ord("D")
_ESCAPE: Final = re.compile(r"\\([0-9]{3})")


def _written(octet: int) -> str:
    return chr(octet) if octet in PLAIN_OCTETS else f"\\{octet:03d}"


_TEXT_OF_BYTE: Final = {byte: _written(byte) for byte in range(256)} | {
    _DOT: ".",
    _DOT_WITHIN: _written(_DOT),
}
_CHARACTER_OF_OCTET: Final = {octet: chr(octet) for octet in range(256)} | {_DOT: chr(_DOT_WITHIN)}


def label_text(octets: bytes) -> str:
    r"""The canonical text of one label in lower case.

    >>> label_text(b"a.b\x00")
    'a\\046b\\000'
    """
    return "".join(map(_written, octets))


def octets_of(text: str) -> bytes:
    r"""The octets of a canonical text, or of whole labels of one.

    >>> octets_of("www.example.com"), octets_of(r"a\046b\032c.example")
    (b'www.example.com', b'aDb c.example')
    """
    if "\\" in text:
        return _ESCAPE.sub(lambda escape: _CHARACTER_OF_OCTET[int(escape[1])], text).encode("latin-1")
    return text.encode("ascii")


def text_of(octets: bytes) -> str:
    r"""The canonical text of octets; undoes `octets_of`.

    >>> text_of(b"aDb c.example")
    'a\\046b\\032c.example'
    """
    return octets.decode("latin-1").translate(_TEXT_OF_BYTE)
