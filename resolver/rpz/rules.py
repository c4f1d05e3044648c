"""What may stand in the zone: the closed set of its rules (draft-vixie-dnsop-dns-rpz, sections 3, 4). Pure.

A rule that blocks has a name as its owner that the law of names lets be blocked (contract.blockable), and
stands for that name alone. A rule that lets pass has a name of the operator's list, or a wildcard before
one. Nothing else is a rule: no wildcard that blocks, no owner that a policy zone takes for something else
than a name.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from resolver.public_names import why_never_blocked
from resolver.wire_names import MAX_OCTETS, WILDCARD, NotAName, joined, labels_of

# The name that a rule's CNAME leads to, on the wire.
NXDOMAIN: Final = b"\x00"
PASSTHRU: Final = b"\x0crpz-passthru\x00"
TARGETS: Final = (NXDOMAIN, PASSTHRU)
_NAMESPACE: Final = b"rpz-"


class Rule(NamedTuple):
    """One record of the zone."""

    owner: bytes
    """a wire name, without the zone's"""
    target: bytes
    """NXDOMAIN or PASSTHRU"""


def passing(name: bytes, zone: bytes) -> list[Rule]:
    """The rules by which a name and all below it pass, as far as they fit into the zone."""
    rules = [Rule(name, PASSTHRU), Rule(WILDCARD + name, PASSTHRU)]
    return [rule for rule in rules if not why_no_rule(rule, zone, published=True)]


def why_no_rule(rule: Rule, zone: bytes, *, published: bool = False) -> str:
    """Why a rule may not stand in a zone, in words to count by; "" where it may.

    Args:
        rule: the rule.
        zone: the zone's name.
        published: whether it lets a name of the operator's pass, so that a wildcard may stand first.
    """
    owner = rule.owner.removeprefix(WILDCARD) if published and rule.target == PASSTHRU else rule.owner
    if rule.target not in TARGETS:
        return "unknown target"
    if not _is_canonical(owner):
        return "no name"
    if len(rule.owner) + len(zone) > MAX_OCTETS:
        return "too long"
    labels = labels_of(owner)
    if b"*" in labels:
        return "wildcard label"
    if labels[-1].startswith(_NAMESPACE):
        return "policy namespace"
    return "" if published and rule.target == PASSTHRU else why_never_blocked(owner)


def _is_canonical(owner: bytes) -> bool:
    try:
        return bool(owner) and joined(labels_of(owner)) == owner
    except (NotAName, IndexError):
        return False
