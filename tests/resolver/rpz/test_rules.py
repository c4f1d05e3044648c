"""The closed set of what may stand in the zone, and that what stands there is read by others as it was meant."""

from __future__ import annotations

import dns.message
import dns.name
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.blockable import is_local, why_never_blocked
from resolver.rpz.records import Records, in_messages
from resolver.rpz.rules import NXDOMAIN, PASSTHRU, Rule, passing, why_no_rule
from resolver.wire_names import WILDCARD, from_text, joined, labels_of, to_text

ORIGIN = dns.name.from_text("rpz.risk")
ZONE = from_text("rpz.risk")
RECORDS = Records(ORIGIN, 60)
LABELS = st.lists(
    st.binary(min_size=1, max_size=63)
    | st.sampled_from([b"*", b"rpz-ip", b"com", b"tk", b"duckdns", b"org"]),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize(
    "owner",
    [
        "*.duckdns.org", "*.webflow.io", "*.no-ip.org", "*.trycloudflare.com", "*", "a.*.tk", "\\042.evil.tk",
        "duckdns.org", "webflow.io", "co.uk", "github.io", "com", "amazonaws.com", "www.duckdns.org",
        "24.0.0.0.127.rpz-ip", "ns1.evil.tk.rpz-nsdname", "32.1.2.0.192.rpz-client-ip", "x.rpz-nsip", "a.rpz-drop",
        "win-8f3k2l9qx1c", "brn30055c1a2b3c.local", "printer.lan", "nas.home.arpa", "db.internal", "x.onion", "a.test",
        "1.2.0.192.in-addr.arpa", "www.example.com",
    ],
)  # fmt: skip
def test_such_an_owner_never_blocks(owner: str) -> None:
    """Wildcards, suffixes and those who host others, RPZ's own namespaces, names of the house."""
    assert why_no_rule(Rule(from_text(owner), NXDOMAIN), ZONE)


@pytest.mark.parametrize(
    "owner", ["evil.tk", "a.duckdns.org", "my-site.webflow.io", "x.blogspot.com", "xn--b.tk", "a\\032b.tk"]
)
def test_such_an_owner_may(owner: str) -> None:
    """Somebody's public name, whatever octets it has."""
    assert not why_no_rule(Rule(from_text(owner), NXDOMAIN), ZONE)


@given(LABELS)
def test_every_rule_is_read_as_it_was_meant(labels: list[bytes]) -> None:
    """By dnspython from a message of a transfer; and no rule that blocks is anything but a public name."""
    name = joined(labels)
    rules = [Rule(name, NXDOMAIN), Rule(name, PASSTHRU), Rule(WILDCARD + name, NXDOMAIN)]
    blocking = [rule for rule in rules if not why_no_rule(rule, ZONE)]
    for rule in blocking:
        assert b"*" not in labels_of(rule.owner)
        assert not why_never_blocked(to_text(rule.owner))
        assert not is_local(to_text(rule.owner))
    allowed = [*blocking, *passing(name, ZONE)]
    assert RECORDS.misread(allowed) == []
    if not allowed:
        return
    query = dns.message.make_query(ORIGIN, "AXFR")
    [(section, count)] = in_messages(map(RECORDS.rule, allowed))
    wire = bytearray(dns.message.make_response(query).to_wire())
    wire[6:8] = count.to_bytes(2, "big")
    read = dns.message.from_wire(bytes(wire) + section, one_rr_per_rrset=True)
    owners = [joined(rrset.name.relativize(ORIGIN).labels) for rrset in read.answer]
    assert owners == [rule.owner for rule in allowed]
    assert {rrset.rdtype for rrset in read.answer} == {dns.rdatatype.CNAME}


@given(st.binary(max_size=300))
def test_octets_that_are_no_name_are_no_rule(owner: bytes) -> None:
    """Whatever a journal holds: lengths that leave the name, capitals, the root."""
    rule = Rule(owner, NXDOMAIN)
    if not why_no_rule(rule, ZONE):
        assert RECORDS.misread([rule]) == []
    assert why_no_rule(Rule(owner, b"\x04evil\x00"), ZONE) == "unknown target"


def test_a_root_inside_an_owner_would_be_seen() -> None:
    """What is rendered is read back: two dots once made every transfer malformed."""
    broken = Rule(b"\x04evil\x02tk\x00", NXDOMAIN)
    assert RECORDS.misread([broken, Rule(from_text("fine.tk"), NXDOMAIN)]) == [broken]
    assert why_no_rule(broken, ZONE) == "no name"


def test_an_allowed_name_passes_with_all_below_it() -> None:
    """As two rules, as far as they fit behind the zone's name."""
    name = from_text("ours.example")
    assert passing(name, ZONE) == [Rule(name, PASSTHRU), Rule(WILDCARD + name, PASSTHRU)]
    long = joined([b"a" * 63] * 3 + [b"b" * (254 - 3 * 64 - 1 - len(ZONE))])
    assert passing(long, ZONE) == [Rule(long, PASSTHRU)]
    assert passing(from_text("x.rpz-ip"), ZONE) == []
