"""Gather observations in memory; snapshot_writer turns them into a snapshot's files."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import numpy as np
from jaxtyping import Int64

from contract.address_space import kind_of, may_be_evidence
from contract.feature_schema import RELATION_IDS
from transformer.domain_name import DomainName, NotADomainName, parse_domain
from transformer.graph_store.adjacency import Edges
from transformer.graph_store.common_output_format import NoEvidence, Observation, UnusableLine

RELATION_OF_TYPE: Final = {
    "A": RELATION_IDS["resolves"],
    "AAAA": RELATION_IDS["resolves"],
    "NS": RELATION_IDS["nameserver"],
    "CNAME": RELATION_IDS["alias"],
}
# Marks a domain that is below no registered domain: it is one itself, or a suffix, or unlisted.
NO_APEX: Final = -1


class SnapshotBuilder:
    """Nodes numbered by type in order of appearance, and every observation as one edge.

    Held in memory: about 200 bytes a node and 33 bytes an observation.
    """

    def __init__(self, *, private_addresses: bool = False) -> None:
        """Hold nothing yet; addresses of private networks are evidence only where that is said."""
        self._private_addresses = private_addresses
        self.domains: dict[str, int] = {}
        self.addresses: dict[str, int] = {}
        self.nameservers: dict[str, int] = {}
        self._apex = array("i")
        self._source, self._relation, self._target = array("i"), array("b"), array("i")
        self._first_seen, self._last_seen, self._count = array("q"), array("q"), array("q")
        self._target_of: dict[str, Callable[[str], int]] = {
            "A": lambda text: self._address(text, IPv4Address),
            "AAAA": lambda text: self._address(text, IPv6Address),
            "NS": self._nameserver,
            "CNAME": self._domain,
        }

    @property
    def observation_count(self) -> int:
        """Edges taken in so far, repeated ones counted each time."""
        return len(self._source)

    def add(self, observation: Observation) -> list[UnusableLine]:
        """Take one observation in; of its rdata what can be used, and why the rest cannot comes back.

        A name whose addresses are all no evidence is known from then on, and shares nothing.

        Raises:
            UnusableLine: rrname is no name, or no item of rdata is a name or address of the record's type.
        """
        source, relation = self._domain(observation.rrname), RELATION_OF_TYPE[observation.rrtype]
        targets, problems = self._targets(observation)
        if not targets and not any(isinstance(problem, NoEvidence) for problem in problems):
            raise problems[0]
        for target in targets:
            self._source.append(source)
            self._relation.append(relation)
            self._target.append(target)
            self._first_seen.append(observation.first_seen)
            self._last_seen.append(observation.last_seen)
            self._count.append(observation.count)
        return problems

    def _targets(self, observation: Observation) -> tuple[dict[int, None], list[UnusableLine]]:
        target_of = self._target_of[observation.rrtype]
        # A dictionary: a record that stands in the list twice was not seen twice.
        targets: dict[int, None] = {}
        problems: list[UnusableLine] = []
        for text in observation.rdata:
            try:
                targets[target_of(text)] = None
            except UnusableLine as problem:
                problems.append(problem)
        return targets, problems

    def observed_edges(self) -> Edges:
        """Every observation; targets are numbered within the node type that the relation leads to."""
        return Edges(
            np.array(self._source, np.int64),
            np.array(self._relation, np.int64),
            np.array(self._target, np.int64),
            np.array(self._first_seen, np.int64),
            np.array(self._last_seen, np.int64),
            np.array(self._count, np.int64),
        )

    def apexes(self) -> Int64[np.ndarray, " domains"]:
        """For each domain the number of the registered domain above it, or NO_APEX."""
        return np.array(self._apex, np.int64)

    def _domain(self, raw: str) -> int:
        # Nearly every name was seen before, and is written as it is kept: spare it the parsing.
        known = self.domains.get(raw.removesuffix(".").lower())
        return self._new_domain(raw) if known is None else known

    def _new_domain(self, raw: str) -> int:
        domain = _parse(raw)
        known = self.domains.get(domain.name)
        if known is not None:
            return known
        number = self.domains[domain.name] = len(self.domains)
        self._apex.append(NO_APEX)
        if domain.registered_domain not in ("", domain.name):
            self._apex[number] = self._domain(domain.registered_domain)
        return number

    def _nameserver(self, raw: str) -> int:
        name = raw.removesuffix(".").lower()
        if name not in self.nameservers:
            name = _parse(raw).name
        return self.nameservers.setdefault(name, len(self.nameservers))

    def _address(self, text: str, version: type[IPv4Address | IPv6Address]) -> int:
        known = self.addresses.get(text)
        if known is not None and (":" in text) == (version is IPv6Address):
            return known
        try:
            address = version(text)
        except ValueError:
            raise UnusableLine("rdata is not an address of its type", repr(text[:80])) from None
        # A zone (fe80::1%eth0) means something on one host only.
        if "%" in text:
            raise UnusableLine("rdata is not an address of its type", repr(text[:80]))
        if not may_be_evidence(address, private=self._private_addresses):
            raise NoEvidence(f"special-purpose address ({kind_of(address)})", repr(text[:80]))
        return self.addresses.setdefault(str(address), len(self.addresses))


def _parse(raw: str) -> DomainName:
    try:
        return parse_domain(raw)
    except NotADomainName as problem:
        raise UnusableLine("not a domain name", f"{raw[:80]!r} ({problem})") from None
