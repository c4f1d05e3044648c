"""Read a domain name in any form that is legal on the wire, or say why it is not one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import idna

from contract.feature_schema import MAX_NAME_LENGTH
from contract.public_suffix import public_suffix

__all__ = ["DomainName", "NotADomainName", "parse_domain", "split_names"]

MAX_LABEL_LENGTH: Final = 63
# The longest input worth reading: every octet of the longest name as a four-character \DDD escape.
MAX_INPUT_LENGTH: Final = 4 * MAX_NAME_LENGTH + 1

_PLAIN_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_PLAIN_OCTETS: Final = frozenset(range(0x21, 0x7F)) - frozenset(rb"\./:@")
# Printable ASCII without backslash, dot, slash, colon and at sign.
_PRINTABLE_LABEL: Final = re.compile(r"[!-\-0-9;-?A-\[\]-~]+")
_ESCAPE: Final = re.compile(r"\\(?:([0-9]{3})|([^0-9]))")
_SPACE_OR_CONTROL: Final = re.compile(r"[\s\x00-\x20\x7f-\x9f]")
# UTS 46 treats these full stops of other scripts as label separators.
_FOREIGN_DOTS: Final = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})


class NotADomainName(ValueError):
    """The input is no domain name; ``str(error)`` is a short sentence naming the problem."""


@dataclass(frozen=True, slots=True)
class DomainName:
    r"""One name, normalised.

    name: lower-case ASCII without root dot; octets outside printable ASCII as ``\DDD`` (RFC 1035, 5.1).
    registered_domain: public suffix and one label; "" where the name is itself a suffix or has none.
    public_suffix: by the list with its private section; "" where no rule matches.
    registrable_label: the label left of the suffix; of a name that is itself a suffix, its first label;
        of a name under no listed suffix, the label before the last, or the only one. Never empty.
    label_start, suffix_start: where in `name` the two begin; `suffix_start` is the name's length where
        there is no suffix. Always 0 <= label_start <= suffix_start <= len(name).
    suffix_is_private: the suffix is one of the list's private section.
    """

    name: str
    registered_domain: str
    public_suffix: str
    registrable_label: str
    label_start: int
    suffix_start: int
    suffix_is_private: bool


def parse_domain(raw: bytes | str) -> DomainName:
    """Normalise a name and find its registered domain.

    >>> parse_domain("WWW.Bücher.example.CO.UK.").name
    'www.xn--bcher-kva.example.co.uk'
    >>> parse_domain(b"alice.github.io").registered_domain
    'alice.github.io'

    Raises:
        NotADomainName: with the problem and the limit, to be shown to the caller.
    """
    text = _decode(raw) if isinstance(raw, bytes) else raw
    name = text.lower().removesuffix(".")
    if len(name) > MAX_NAME_LENGTH or "xn--" in name or not _PLAIN_NAME.fullmatch(name):
        name = _normalise_slowly(text)
    if name[-1].isdigit() and _is_ip_address(name):
        raise NotADomainName("an IP address, not a domain name")
    return _split_at_suffix(name)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise NotADomainName("not UTF-8") from None


def split_names(names: Iterable[str]) -> list[DomainName]:
    """Find the registered domains of names that `parse_domain` has normalised before, unchecked.

    >>> [split.registered_domain for split in split_names(["mail.example.co.uk", "co.uk"])]
    ['example.co.uk', '']
    """
    return [_split_at_suffix(name) for name in names]


def _split_at_suffix(name: str) -> DomainName:
    suffix = public_suffix(name)
    listed = suffix.name
    if not listed:
        return _without_suffix(name)
    if listed == name:
        return DomainName(name, "", name, name.partition(".")[0], 0, 0, suffix.private)
    suffix_start = len(name) - len(listed)
    label_start = name.rfind(".", 0, suffix_start - 1) + 1
    label = name[label_start : suffix_start - 1]
    return DomainName(name, name[label_start:], listed, label, label_start, suffix_start, suffix.private)


def _without_suffix(name: str) -> DomainName:
    # By the list's default rule the last label is the suffix: `intranet` of `intranet.lan` tells more.
    label_end = name.rfind(".") if "." in name else len(name)
    label_start = name.rfind(".", 0, label_end) + 1
    label = name[label_start:label_end]
    return DomainName(name, "", "", label, label_start, len(name), suffix_is_private=False)


def _normalise_slowly(text: str) -> str:
    _refuse_other_things(text)
    # Every escape as \\DDD first: an escaped dot belongs to its label and must not split it.
    labels = [_normalise_label(label) for label in _split_labels(_ESCAPE.sub(_escape_by_number, text))]
    name = ".".join(labels)
    if len(name) > MAX_NAME_LENGTH:
        raise NotADomainName(f"longer than {MAX_NAME_LENGTH} octets ({len(name)})")
    return name


def _refuse_other_things(text: str) -> None:
    if not text.strip(". \t\r\n"):
        raise NotADomainName("empty")
    if len(text) > MAX_INPUT_LENGTH:
        raise NotADomainName(f"longer than {MAX_NAME_LENGTH} octets ({len(text)} characters)")
    if "://" in text or "/" in text:
        raise NotADomainName("a URL or path (contains '/'), not a domain name")
    if "@" in text:
        raise NotADomainName("contains '@': an e-mail address, not a domain name")
    if ":" in text:
        kind = "an IP address" if _is_ip_address(text.strip("[]")) else "contains ':' (a port or URL)"
        raise NotADomainName(f"{kind}, not a domain name")
    if _SPACE_OR_CONTROL.search(text):
        raise NotADomainName("contains spaces or control characters")


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _split_labels(text: str) -> list[str]:
    labels = text.translate(_FOREIGN_DOTS).removesuffix(".").split(".")
    if not all(labels):
        raise NotADomainName("contains an empty label ('..' or a leading dot)")
    return labels


def _normalise_label(label: str) -> str:
    ascii_label = label.lower() if label.isascii() else _encode_unicode_label(label)
    if not _PLAIN_NAME.fullmatch(ascii_label):
        ascii_label = _normalise_escapes(ascii_label)
    octets = len(_ESCAPE.sub("?", ascii_label))
    if octets > MAX_LABEL_LENGTH:
        raise NotADomainName(f"a label is longer than {MAX_LABEL_LENGTH} octets ({octets})")
    if ascii_label.startswith("xn--"):
        _check_punycode(ascii_label)
    return ascii_label


def _escape_by_number(escape: re.Match[str]) -> str:
    code = int(escape[1]) if escape[1] else ord(escape[2])
    if code > 0xFF:
        raise NotADomainName(f"contains an escape over \\255 ({escape[0]})")
    return f"\\{code:03d}"


def _normalise_escapes(label: str) -> str:
    if "\\" in _ESCAPE.sub("", label):
        raise NotADomainName("contains a backslash that starts no escape (\\. or \\DDD)")
    octets = _ESCAPE.sub(lambda escape: chr(int(escape[1])), label).encode("latin-1").lower()
    return "".join(chr(octet) if octet in _PLAIN_OCTETS else f"\\{octet:03d}" for octet in octets)


def _encode_unicode_label(label: str) -> str:
    try:
        mapped = idna.uts46_remap(label, std3_rules=False, transitional=False)
        encoded = mapped.lower() if mapped.isascii() else _to_punycode(mapped)
    except (idna.IDNAError, UnicodeError) as problem:
        raise NotADomainName(f"not a legal internationalised name ({str(problem)[:80]})") from None
    # Some characters stand for a separator (U+2488 for "1."), and a soft hyphen alone for nothing.
    if not _PRINTABLE_LABEL.fullmatch(encoded):
        raise NotADomainName("not a legal internationalised name (mixes in a separator or escape)")
    return encoded


def _to_punycode(mapped: str) -> str:
    try:
        return idna.encode(mapped).decode()
    except idna.IDNAError:
        if mapped.startswith("xn--"):
            raise
        # IDNA 2008 refuses emoji and underscores, which are registered and resolved all the same.
        return "xn--" + mapped.encode("punycode").decode()


def _check_punycode(label: str) -> None:
    try:
        decoded = label[4:].encode().decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        raise NotADomainName(f"bad punycode in label '{label}'") from None
    if decoded.isascii():
        raise NotADomainName(f"bad punycode in label '{label}' (encodes nothing)")
