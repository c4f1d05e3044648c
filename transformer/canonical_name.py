r"""The canonical text of a name that is written in any way: Unicode, capitals, escapes of RFC 1035 and 4343.

Every name that is legal on the wire has a spelling that is accepted: labels of 1 to 63 octets of any value,
255 octets with lengths and root. What is refused is what is no name, and unescaped text that is plainly meant
as something else: a URL, an e-mail address, an IP address, words with spaces.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import idna

from contract.feature_schema import MAX_NAME_LENGTH
from contract.name_octets import label_text, octets_of

MAX_LABEL_LENGTH: Final = 63
# The longest input worth reading: every octet of the longest name as a four-character \DDD escape.
MAX_INPUT_LENGTH: Final = 4 * MAX_NAME_LENGTH + 1

_ESCAPE: Final = re.compile(r"\\(?:([0-9]{3})|([^0-9]))")
_NUMBER: Final = re.compile(rb"\\([0-9]{3})")
_SPACE_OR_CONTROL: Final = re.compile(r"[\s\x00-\x20\x7f-\x9f]")
# What IDNA may make of a label: printable ASCII without backslash, dot, slash, colon and at sign.
_PRINTABLE_LABEL: Final = re.compile(r"[!-\-0-9;-?A-\[\]-~]{1,63}")
# UTS 46 treats these full stops of other scripts as label separators.
_FOREIGN_DOTS: Final = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
_ACE_PREFIX: Final = "xn--"


class NotADomainName(ValueError):
    """The input is no domain name; ``str(error)`` is a short sentence naming the problem."""


def canonical_name(text: str) -> str:
    r"""The text that all spellings of a name share; undecodable octets of the input come as surrogates.

    >>> canonical_name(r"First\.Last.example"), canonical_name("b\u00fccher.example.")
    ('first\\046last.example', 'xn--bcher-kva.example')

    Raises:
        NotADomainName: with the problem and the limit, to be shown to the caller.
    """
    if len(text) > MAX_INPUT_LENGTH:
        raise NotADomainName(f"longer than {MAX_NAME_LENGTH} octets ({len(text)} characters)")
    _refuse_other_things(_ESCAPE.sub("x", text))
    # Every escape as \\DDD first: an escaped dot belongs to its label and must not split it.
    labels = [_canonical_label(label) for label in _split_labels(_ESCAPE.sub(_by_number, text))]
    name = ".".join(labels)
    if (octets := len(octets_of(name))) > MAX_NAME_LENGTH:
        raise NotADomainName(f"longer than {MAX_NAME_LENGTH} octets ({octets})")
    return name


def is_ip_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _refuse_other_things(text: str) -> None:
    """Refuse what is no name, or meant as another thing, by what stands there without an escape."""
    if not text.strip(". \t\r\n"):
        raise NotADomainName("empty")
    if "\\" in text:
        raise NotADomainName("contains a backslash that starts no escape (\\. or \\DDD)")
    if "/" in text and not _is_reverse_zone(text):
        raise NotADomainName("a URL or path (contains '/'), not a domain name")
    if "@" in text:
        raise NotADomainName("contains '@': an e-mail address, not a domain name")
    if ":" in text:
        kind = "an IP address" if is_ip_address(text.strip("[]")) else "contains ':' (a port or URL)"
        raise NotADomainName(f"{kind}, not a domain name")
    if _SPACE_OR_CONTROL.search(text):
        raise NotADomainName("contains spaces or control characters")


def _is_reverse_zone(text: str) -> bool:
    # RFC 2317 writes 128/26.2.0.192.in-addr.arpa without an escape, and so do all tools.
    return "://" not in text and text.lower().removesuffix(".").endswith((".in-addr.arpa", ".ip6.arpa"))


def _by_number(escape: re.Match[str]) -> str:
    if not escape[1]:
        return "".join(f"\\{octet:03d}" for octet in _encoded(escape[2]))
    if int(escape[1]) > 0xFF:
        raise NotADomainName(f"contains an escape over \\255 ({escape[0]})")
    return escape[0]


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise NotADomainName("holds half of a surrogate pair") from None


def _split_labels(text: str) -> list[str]:
    labels = text.translate(_FOREIGN_DOTS).removesuffix(".").split(".")
    if not all(labels):
        raise NotADomainName("contains an empty label ('..' or a leading dot)")
    if 2 * len(labels) - 1 > MAX_NAME_LENGTH:
        raise NotADomainName(f"longer than {MAX_NAME_LENGTH} octets ({len(labels)} labels)")
    return labels


def _canonical_label(label: str) -> str:
    if not label.isascii():
        label = _a_label(label) or label
    octets = _NUMBER.sub(lambda escape: bytes([int(escape[1])]), _encoded(label)).lower()
    if len(octets) > MAX_LABEL_LENGTH:
        raise NotADomainName(f"a label is longer than {MAX_LABEL_LENGTH} octets ({len(octets)})")
    return label_text(octets)


def _a_label(label: str) -> str | None:
    """The label's form in ASCII; None where it has none that is one label: it is its UTF-8 octets then."""
    if "\\" in label:
        return None
    try:
        mapped = idna.uts46_remap(label, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError):
        return None
    encoded = mapped.lower() if mapped.isascii() else _to_punycode(mapped)
    # Some characters stand for a separator (U+2488 for "1."), and a soft hyphen alone for nothing.
    return encoded if _PRINTABLE_LABEL.fullmatch(encoded) else None


def _to_punycode(mapped: str) -> str:
    # Punycode is never shorter than what it encodes, and one character may be mapped to eighteen.
    if mapped.startswith(_ACE_PREFIX) or len(mapped) > MAX_LABEL_LENGTH:
        return ""
    try:
        return idna.encode(mapped).decode()
    except (idna.IDNAError, UnicodeError):
        # IDNA 2008 refuses emoji and underscores, which are registered and resolved all the same.
        return _ACE_PREFIX + mapped.encode("punycode").decode()
