"""Read a domain name in any form that is legal on the wire, or say why it is not one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contract.feature_schema import MAX_NAME_LENGTH
from contract.name_octets import octets_of
from contract.public_suffix import public_suffix
from transformer.canonical_name import NotADomainName, canonical_name, is_ip_address

__all__ = ["DomainName", "NotADomainName", "parse_domain", "split_names"]

_PLAIN_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class DomainName:
    r"""One name, normalised.

    name: canonical text (see contract.name_octets): lower case, without root dot, odd octets as ``\DDD``.
    registered_domain: public suffix and one label; "" where the name is itself a suffix or has none.
    public_suffix: by the list with its private section; "" where no rule matches.
    registrable_label: the label left of the suffix; of a name that is itself a suffix, its first label;
        of a name under no listed suffix, the label before the last, or the only one. Never empty.
    label_start, suffix_start: where in `octets` the two begin; `suffix_start` is their number where there
        is no suffix. Always 0 <= label_start <= suffix_start <= len(octets) <= MAX_NAME_LENGTH.
    suffix_is_private: the suffix is one of the list's private section.
    """

    name: str
    registered_domain: str
    public_suffix: str
    registrable_label: str
    label_start: int
    suffix_start: int
    suffix_is_private: bool

    @property
    def octets(self) -> bytes:
        """The name as models and graphs know it: one byte for each octet, and a dot between labels."""
        return octets_of(self.name)


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
    if len(name) > MAX_NAME_LENGTH or not _PLAIN_NAME.fullmatch(name):
        name = canonical_name(text)
    if name[-1].isdigit() and is_ip_address(name):
        raise NotADomainName("an IP address, not a domain name")
    return _split_at_suffix(name)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        # What is no UTF-8 is legal on the wire too: all octets beyond ASCII stand for themselves then.
        return raw.decode("ascii", "surrogateescape")


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
    suffix_place = len(name) - len(listed)
    label_place = name.rfind(".", 0, suffix_place - 1) + 1
    label = name[label_place : suffix_place - 1]
    label_start, suffix_start = _in_octets(name, label_place, suffix_place)
    return DomainName(name, name[label_place:], listed, label, label_start, suffix_start, suffix.private)


def _without_suffix(name: str) -> DomainName:
    # By the list's default rule the last label is the suffix: `intranet` of `intranet.lan` tells more.
    label_end = name.rfind(".") if "." in name else len(name)
    label_place = name.rfind(".", 0, label_end) + 1
    label = name[label_place:label_end]
    label_start, suffix_start = _in_octets(name, label_place, len(name))
    return DomainName(name, "", "", label, label_start, suffix_start, suffix_is_private=False)


def _in_octets(name: str, *places: int) -> Iterable[int]:
    """Places in a name's text as places in its octets."""
    return [len(octets_of(name[:place])) for place in places] if "\\" in name else places
