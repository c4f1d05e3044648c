"""Which records of an answer are believed: those that bear on the question, from who may speak of them. Pure.

A resolver's answer follows aliases from the name that was asked; whatever else is in the message bears on
nothing. A server that a resolver asked speaks for its own zone only (RFC 2181, section 5.4.1; RFC 5452,
section 6), so that nobody says through it who lives at a name of somebody else.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from contract.address_space import may_be_evidence
from resolver.observations import CNAME, NS, Observation, Record, address_of
from resolver.public_names import is_local, registered_domain
from resolver.wire_names import is_at_or_below

# Longer chains of aliases are followed by no resolver.
_MAX_ALIASES: Final = 16


class Believed(NamedTuple):
    """What an answer is taken to say."""

    records: tuple[Record, ...]
    """records of the name and of the aliases that it leads to, as they came"""
    aliases: tuple[bytes, ...]
    """the names that the name is an alias of, in order"""
    unrelated: int
    """records left out, as they bear on something else or are not the speaker's to give"""
    unusable: int
    """records left out, as their address or name is none that others share on the Internet"""


NOTHING: Final = Believed((), (), 0, 0)


def believed(observation: Observation, *, private: bool) -> Believed:
    """What of an answer may become evidence.

    Args:
        observation: the answer.
        private: whether addresses of private networks are evidence, too.
    """
    records = observation.records
    if not records:
        return NOTHING
    spoken_for = _spoken_for(observation) if observation.upstream else None
    aliases = _aliases(observation.name, records, spoken_for)
    names = {observation.name, *aliases}
    related = [record for record in records if _bears_on(record, names, spoken_for)]
    usable = tuple(record for record in related if _is_usable(record, private=private))
    return Believed(usable, aliases, len(records) - len(related), len(related) - len(usable))


def answers_about(name: bytes, records: tuple[Record, ...]) -> tuple[Record, ...]:
    """Of believed records those that say where a name leads; name servers of its aliases' zones do not."""
    return tuple(record for record in records if record.rtype != NS or is_at_or_below(name, record.owner))


def _spoken_for(observation: Observation) -> bytes:
    """The zone that a server may speak for: that which it was asked for, else the registered domain."""
    name = observation.name
    if observation.zone is not None and is_at_or_below(name, observation.zone):
        return observation.zone
    return registered_domain(name) or name


def _aliases(name: bytes, records: tuple[Record, ...], spoken_for: bytes | None) -> tuple[bytes, ...]:
    targets = {record.owner: record.rdata for record in records if record.rtype == CNAME}
    found: list[bytes] = []
    while name in targets and len(found) < _MAX_ALIASES:
        if spoken_for is not None and not is_at_or_below(name, spoken_for):
            break
        name = targets.pop(name)
        found.append(name)
    return tuple(found)


def _bears_on(record: Record, names: set[bytes], spoken_for: bytes | None) -> bool:
    if spoken_for is not None and not is_at_or_below(record.owner, spoken_for):
        return False
    if record.rtype != NS:
        return record.owner in names
    # Servers of a zone above the name; of a suffix they say nothing of the names below it.
    return bool(registered_domain(record.owner)) and any(is_at_or_below(name, record.owner) for name in names)


def _is_usable(record: Record, *, private: bool) -> bool:
    if is_local(record.owner):
        return False
    if record.rtype in (CNAME, NS):
        return not is_local(record.rdata)
    return may_be_evidence(address_of(record.rdata), private=private)
