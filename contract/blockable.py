r"""Which names a resolver may block at all, whatever their score: the law, in one pure function.

A name here is its canonical text: lower case, labels between dots, no dot at the end, every octet outside
printable ASCII (and dot and backslash) as ``\DDD``. What is anything else is never blocked.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from contract.public_suffix import public_suffix, suffix_rules
from contract.shared_apexes import SHARED_APEXES

NO_NAME: Final = "no name"
POLICY_NAMESPACE: Final = "policy namespace"
WILDCARD_LABEL: Final = "wildcard label"
SINGLE_LABEL: Final = "single label"
SPECIAL_USE: Final = "special use"
NO_PUBLIC_SUFFIX: Final = "no public suffix"
PUBLIC_SUFFIX: Final = "public suffix"
HOSTS_OTHERS: Final = "hosts others' names"
REASONS: Final = (
    *(NO_NAME, POLICY_NAMESPACE, WILDCARD_LABEL),
    *(SINGLE_LABEL, SPECIAL_USE, NO_PUBLIC_SUFFIX),
    *(PUBLIC_SUFFIX, HOSTS_OTHERS),
)

# IANA's registry of special-use domain names as of 2026-12-01 (RFC 6761, 6762, 7686, 9476; those under arpa,
# as RFC 8375's home.arpa, by arpa itself); `internal` by ICANN's board on 2024-07-29; home, corp and mail,
# which it never delegates (2018-02-04, after SSAC's study of collisions).
SPECIAL_USE_NAMES: Final = frozenset(
    {
        *("alt", "arpa", "example", "invalid", "local", "localhost", "onion", "test"),
        *("example.com", "example.net", "example.org"),
        *("internal", "home", "corp", "mail"),
    }
)
# In no registry, and below delegated suffixes: names that millions of routers answer themselves, by the pages
# of their makers as of 2026-12-01. What the public DNS says of them is not what the house sees.
ROUTER_NAMES: Final = frozenset(
    {
        *("fritz.box", "easy.box", "o2.box"),
        *("routerlogin.com", "routerlogin.net", "orbilogin.com", "orbilogin.net", "mywifiext.net"),
        *("tplinkwifi.net", "tplinklogin.net", "tplinkrepeater.net", "tplinkmodem.net"),
        *("asusrouter.com", "router.asus.com", "tendawifi.com", "miwifi.com"),
    }
)
_LOCAL_NAMES: Final = SPECIAL_USE_NAMES | ROUTER_NAMES
_MAX_NAME_OCTETS: Final = 253
_MAX_LABEL_OCTETS: Final = 63
_ESCAPE: Final = re.compile(r"\\([01][0-9]{2}|2[0-4][0-9]|25[0-5])")
_LABEL: Final = r"(?:[!-\-/-@\[\]-~]|" + _ESCAPE.pattern.replace("(", "(?:") + ")+"
_CANONICAL: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# A letter, a digit, a hyphen or an underscore is never written as its number.
_NEVER_ESCAPED: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def why_never_blocked(name: str) -> str:
    r"""Why a name is never blocked, as one of REASONS; "" where it may be.

    >>> why_never_blocked("verify-login.duckdns.org"), why_never_blocked("duckdns.org")
    ('', 'public suffix')
    >>> why_never_blocked(r"\042.duckdns.org"), why_never_blocked("win-8f3k2l9qx1c")
    ('wildcard label', 'single label')
    """
    if not _is_canonical(name):
        return NO_NAME
    labels = name.split(".")
    if labels[-1].startswith("rpz-"):
        return POLICY_NAMESPACE
    if "*" in labels or r"\042" in labels:
        return WILDCARD_LABEL
    return _why_local(name) or _why_shared(name)


def is_local(name: str) -> bool:
    """Whether a name is nobody's public name, and never leaves the house that asks for it.

    >>> [is_local(name) for name in ("printer", "printer.lan", "nas.home.arpa", "example.co.uk")]
    [True, True, True, False]
    """
    return _why_local(name) != ""


def _why_local(name: str) -> str:
    if "." not in name:
        return SINGLE_LABEL
    if _is_below(name, _LOCAL_NAMES):
        return SPECIAL_USE
    return "" if public_suffix(name).name else NO_PUBLIC_SUFFIX


def _why_shared(name: str) -> str:
    if public_suffix(name).name == name:
        return PUBLIC_SUFFIX
    site = _without_www(name)
    suffix = public_suffix(site)
    if suffix.name == site:
        # `www.duckdns.org` is who gives the names away; `www.co.uk` is somebody's name as any other.
        return HOSTS_OTHERS if suffix.private else ""
    return HOSTS_OTHERS if site in _apexes() else ""


def _without_www(name: str) -> str:
    while name.startswith("www."):
        name = name.removeprefix("www.")
    return name


@cache
def _apexes() -> frozenset[str]:
    rules = suffix_rules()
    listed = rules.exact | rules.wildcards
    above = {parent for rule in listed for parent in _parents(rule) if "." in parent}
    return frozenset(above | {rule for rule in rules.wildcards if "." in rule} | SHARED_APEXES)


def _parents(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[place:]) for place in range(1, len(labels))]


def _is_below(name: str, names: frozenset[str]) -> bool:
    return name in names or any(parent in names for parent in _parents(name))


def _is_canonical(name: str) -> bool:
    if not _CANONICAL.fullmatch(name):
        return False
    octets = name
    if "\\" in name:
        if any(int(escape) in _NEVER_ESCAPED for escape in _ESCAPE.findall(name)):
            return False
        octets = _ESCAPE.sub("?", name)
    return len(octets) <= _MAX_NAME_OCTETS and max(map(len, octets.split("."))) <= _MAX_LABEL_OCTETS
