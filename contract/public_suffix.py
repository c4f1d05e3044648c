"""Which part of a name is its public suffix, by the list bundled with tldextract.

Own lookup over tldextract's rules: one dictionary probe per label, about a third of the cost of
``TLDExtract.extract_str``, which the tests compare it with.
"""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import idna
import tldextract


def _bundled_list_version() -> str:
    head = (pkgutil.get_data("tldextract", ".tld_set_snapshot") or b"")[:2048].decode()
    dated = re.search(r"VERSION: (\S+)", head)
    return dated.group(1) if dated else f"tldextract-{tldextract.__version__}"


# Travels in snapshots and model cards: other rules give other registered domains.
SUFFIX_LIST_VERSION: Final = _bundled_list_version()


@dataclass(frozen=True, slots=True)
class SuffixRules:
    """Rules of publicsuffix.org in ASCII form.

    exact: the listed suffixes; wildcards: parents P of rules ``*.P``; exceptions: names E of ``!E``;
    private: rules of the list's private section, in all three forms; depth: most labels of a rule.
    """

    exact: frozenset[str]
    wildcards: frozenset[str]
    exceptions: frozenset[str]
    private: frozenset[str]
    depth: int


@dataclass(frozen=True, slots=True)
class Suffix:
    """A public suffix; `private` where it stands in the list's private section (``github.io``)."""

    name: str
    private: bool


UNLISTED: Final = Suffix("", private=False)


@cache
def suffix_rules() -> SuffixRules:
    """The bundled rules, read once per process and never from the network."""
    everything = _ascii_rules(include_private=True)
    private = everything - _ascii_rules(include_private=False)
    return SuffixRules(
        exact=frozenset(rule for rule in everything if rule[0] not in "*!"),
        wildcards=frozenset(rule[2:] for rule in everything if rule.startswith("*.")),
        exceptions=frozenset(rule[1:] for rule in everything if rule.startswith("!")),
        private=private,
        depth=max(rule.count(".") + 1 for rule in everything),
    )


def _ascii_rules(*, include_private: bool) -> frozenset[str]:
    extractor = tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, include_psl_private_domains=include_private
    )
    return frozenset(
        rule if rule.isascii() else ".".join(_ascii_label(label) for label in rule.split("."))
        for rule in extractor.tlds
    )


def _ascii_label(label: str) -> str:
    return label if label.isascii() else idna.encode(label).decode()


def public_suffix(name: str) -> Suffix:
    """The longest listed suffix of a lower-case ASCII name, or UNLISTED.

    >>> public_suffix("www.example.co.uk"), public_suffix("alice.github.io")
    (Suffix(name='co.uk', private=False), Suffix(name='github.io', private=True))
    >>> public_suffix("printer.lan")
    Suffix(name='', private=False)
    """
    rules = suffix_rules()
    candidate = _last_labels(name, rules.depth)
    while candidate:
        parent = candidate.partition(".")[2]
        if candidate in rules.exact:
            return Suffix(candidate, candidate in rules.private)
        if parent in rules.wildcards:
            if candidate in rules.exceptions:
                return Suffix(parent, f"!{candidate}" in rules.private)
            return Suffix(candidate, f"*.{parent}" in rules.private)
        candidate = parent
    return UNLISTED


def _last_labels(name: str, count: int) -> str:
    if name.count(".") < count:
        return name
    return name.split(".", name.count(".") - count + 1)[-1]
