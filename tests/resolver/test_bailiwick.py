"""Of an answer is believed what bears on the question, from who may speak of it, and what others can share."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.bailiwick import answers_about, believed
from resolver.observations import AAAA, CNAME, NS, A, Observation, Record
from resolver.wire_names import from_text, to_text

KINDS = {"A": A, "AAAA": AAAA, "NS": NS, "CNAME": CNAME}


def record(text: str) -> Record:
    """`owner TYPE data`."""
    owner, kind, data = text.split()
    rdata = ip_address(data).packed if kind in ("A", "AAAA") else from_text(data)
    return Record(from_text(owner), KINDS[kind], rdata)


def observed(name: str, *records: str, upstream: bool = False, zone: str | None = None) -> Observation:
    """An answer."""
    about = None if zone is None else from_text(zone)
    return Observation(from_text(name), A, 0, 1, tuple(map(record, records)), upstream, about)


def kept(observation: Observation, *, private: bool = False) -> list[str]:
    """What is believed, as owners and data."""
    shown = {number: kind for kind, number in KINDS.items()}
    return [
        f"{to_text(r.owner)} {shown[r.rtype]} {ip_address(r.rdata) if r.rtype in (A, AAAA) else to_text(r.rdata)}"
        for r in believed(observation, private=private).records
    ]


CHAIN = ("www.shop.se CNAME a.cdn.net", "a.cdn.net CNAME b.cdn.net", "b.cdn.net A 11.22.33.44")


def test_a_chain_of_aliases_is_followed() -> None:
    """In whatever order its records come; name servers of the name and of its aliases are taken."""
    records = (*CHAIN[::-1], "shop.se NS ns1.host.com", "cdn.net NS ns1.cdn.net")
    assert kept(observed("www.shop.se", *records)) == list(records)
    heard = believed(observed("www.shop.se", *records), private=False)
    assert [to_text(name) for name in heard.aliases] == ["a.cdn.net", "b.cdn.net"]
    assert (heard.unrelated, heard.unusable) == (0, 0)
    about = answers_about(from_text("www.shop.se"), heard.records)
    assert [to_text(r.rdata) for r in about if r.rtype == NS] == ["ns1.host.com"]


@pytest.mark.parametrize(
    "stray",
    [
        "victim.com A 11.22.33.44", "evil.tk.victim.com A 11.22.33.44", "com NS ns.evil.tk", "tk NS ns.evil.tk",
        "victim.com NS ns.evil.tk", "victim.com CNAME evil.tk", "co.uk NS ns.evil.tk",
    ],
)  # fmt: skip
@pytest.mark.parametrize("upstream", [True, False])
def test_who_was_not_asked_for_is_left_out(stray: str, upstream: bool) -> None:
    """Whatever server puts it into its answer, and also where a resolver passed it on."""
    observation = observed("evil.tk", "evil.tk A 11.22.33.44", stray, upstream=upstream)
    assert kept(observation) == ["evil.tk A 11.22.33.44"]
    assert believed(observation, private=False).unrelated == 1


def test_a_server_does_not_say_who_lives_at_a_name_of_somebody_else() -> None:
    """An alias into another's zone is its own to give; what is there is not. A resolver has asked there itself."""
    records = ("evil.tk CNAME bank.com", "bank.com A 11.66.66.66")
    assert kept(observed("evil.tk", *records, upstream=True)) == list(records[:1])
    assert kept(observed("evil.tk", *records, upstream=True, zone="tk")) == list(records[:1])
    assert kept(observed("evil.tk", *records)) == list(records)
    inside = ("a.evil.tk CNAME b.evil.tk", "b.evil.tk A 11.66.66.66")
    assert kept(observed("a.evil.tk", *inside, upstream=True, zone="evil.tk")) == list(inside)


def test_a_zone_that_is_not_above_the_name_gives_no_right() -> None:
    """A frame that says so is wrong somewhere: then the registered domain bounds it."""
    observation = observed("www.evil.tk", "www.evil.tk A 11.1.1.1", upstream=True, zone="bank.com")
    assert kept(observation) == ["www.evil.tk A 11.1.1.1"]


def test_aliases_in_a_circle_end() -> None:
    """Each is followed once, and no more than sixteen."""
    circle = observed(
        "a.evil.tk", "a.evil.tk CNAME b.evil.tk", "b.evil.tk CNAME a.evil.tk", "a.evil.tk A 11.1.1.1"
    )
    assert len(kept(circle)) == 3
    long = observed("n0.evil.tk", *(f"n{n}.evil.tk CNAME n{n + 1}.evil.tk" for n in range(40)))
    assert len(believed(long, private=False).aliases) == 16


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "127.0.0.1", "192.0.2.1", "198.51.100.9", "203.0.113.66", "169.254.1.1", "10.1.2.3", "192.168.1.1",  # noqa: S104
        "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "2001:db8::1",
        "::ffff:10.0.0.1", "64:ff9b::127.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_no_infrastructure_are_no_evidence(address: str) -> None:
    """What resolvers answer for names that they block, documentation, the house: everybody would share them."""
    kind = "AAAA" if ":" in address else "A"
    observation = observed("shop.se", f"shop.se {kind} {address}", "shop.se A 11.22.33.44")
    assert kept(observation) == ["shop.se A 11.22.33.44"]
    assert believed(observation, private=False).unusable == 1


def test_private_addresses_are_where_an_operator_says_so() -> None:
    """Those of private networks, and no others."""
    records = ("shop.se A 10.1.2.3", "shop.se AAAA fd00::1", "shop.se A 127.0.0.1")
    assert kept(observed("shop.se", *records), private=True) == list(records[:2])


def test_names_of_the_house_lead_nowhere() -> None:
    """An alias to one, or a name server that is one, is nothing that others share."""
    records = ("shop.se NS ns.local", "shop.se NS router", "shop.se NS 1.2.3.4", "shop.se NS ns.host.com")
    assert kept(observed("shop.se", *records)) == ["shop.se NS ns.host.com"]


NAMES = st.sampled_from(
    ["evil.tk", "a.evil.tk", "b.evil.tk", "bank.com", "www.bank.com", "tk", "com", "ns.evil.tk", "x"]
)


@given(
    NAMES,
    st.lists(
        st.tuples(NAMES, st.sampled_from(["CNAME", "NS"]), NAMES)
        | st.tuples(NAMES, st.just("A"), st.just("11.1.1.1")),
        max_size=8,
    ),
    st.none() | NAMES,
)
def test_nothing_of_others_is_ever_taken_from_a_server(
    name: str, records: list[tuple[str, str, str]], zone: str | None
) -> None:
    """Of a server's answer for a name of evil.tk nothing about bank.com is believed, however it is put together."""
    observation = observed(name, *(" ".join(parts) for parts in records), upstream=True, zone=zone)
    taken = believed(observation, private=False).records
    if name.endswith("evil.tk") and zone not in ("tk", "com"):
        assert all(to_text(r.owner).endswith("evil.tk") for r in taken)
    assert not any(to_text(r.owner) in ("tk", "com", "x") for r in taken)
