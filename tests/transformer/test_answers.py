from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.address_space import may_be_evidence
from transformer.answers import (
    MAX_ANSWERS,
    MAX_ANSWERS_BYTES,
    MAX_ENTRIES,
    Answer,
    UnusableRecord,
    parse_record,
    read_answers,
)
from transformer.domain_name import parse_domain

OWNER = parse_domain("owner.example")
# Each at most as long as the names and reasons of three entries can be.
LONGEST_STATUS = 2048

GOOD = st.sampled_from(
    [
        "A 11.0.2.1",
        "a 11.0.2.2",
        "  A   11.0.2.3  ",
        "A\t11.0.2.4\n",
        "AAAA 3FFE:b00::0:1",
        "NS ns1.example.net",
        "ns NS2.Example.net.",
        "NS owner.example",
        "CNAME edge.example.org",
        "CNAME a\\.b.example.org",
        "CNAME a\\044b.example.org",
    ]
).map(str.encode)
JUNK = st.sampled_from(
    [
        b"",
        b" ",
        b".",
        b"A",
        b"NS .",
        b"NS ..",
        b"NS a..b",
        b"NS 11.0.2.1",
        b"NS 3ffe:b00::1",
        b"NS ns1.example.net.\\",
        b"NS \xff\xfe.example",
        b"NS two names",
        b"CNAME OWNER.example.",
        b"CNAME owner\\.example..",
        b"CNAME http://x/",
        b"A 11.0.2.300",
        b"A 011.0.2.1",
        b"A 3ffe:b00::1",
        b"A 11.0.2.1 60",
        b"300 IN A 11.0.2.9",
        b"owner.example. 300 IN A 11.0.2.9",
        b"AAAA 11.0.2.1",
        b"AAAA 3ffe:b00::1%eth0",
        b"A 0.0.0.0",
        b"A 127.0.0.1",
        b"A 10.0.0.1",
        b"A 192.0.2.1",
        b"A 224.0.0.1",
        b"AAAA ::",
        b"AAAA ::ffff:11.0.2.1",
        b"AAAA 64:ff9b::b00:201",
        b"AAAA fe80::1",
        b"MX mail.example",
        b'TXT "hello"',
        b"TYPE65 \\# 0",
        "\u200bA 11.0.2.9".encode(),
        b"A\x0011.0.2.9",
        b"x" * 300,
        b"NS " + b"a" * 3000,
    ]
)


def records(raw: bytes | str) -> tuple[Answer, ...]:
    return read_answers(raw, OWNER).records


def ignored(raw: bytes | str) -> str:
    return str(read_answers(raw, OWNER).ignored)


def test_records_are_read_in_order() -> None:
    """Types in any case, spaces anywhere; addresses and names come out canonical."""
    text = " a 11.0.2.1,AAAA  3FFE:B00:0::0:1 ,\tns NS1.Example.net., CName x.example "
    assert records(text) == (
        Answer("A", "11.0.2.1", None),
        Answer("AAAA", "3ffe:b00::1", None),
        Answer("NS", "", parse_domain("ns1.example.net")),
        Answer("CNAME", "", parse_domain("x.example")),
    )
    assert ignored(text) == ""


@pytest.mark.parametrize("raw", ["", b"", "  ", b"\n"])
def test_no_text_holds_no_answers(raw: bytes | str) -> None:
    """An empty string is a caller that saw no answers, and nothing is left out."""
    assert (records(raw), ignored(raw)) == ((), "")


@settings(deadline=None)
@given(st.lists(GOOD, min_size=1, max_size=12), st.lists(JUNK, max_size=12), st.integers(0, 2**32))
def test_junk_changes_nothing(good: list[bytes], junk: list[bytes], seed: int) -> None:
    """Whatever cannot be used, wherever it stands: the others are read as without it, and it is told."""
    places = [True] * len(good) + [False] * len(junk)
    random.Random(seed).shuffle(places)  # noqa: S311
    kept, left = iter(good), iter(junk)
    mixed = b",".join(next(kept) if is_good else next(left) for is_good in places)
    read = read_answers(mixed, OWNER)
    assert read.records == records(b",".join(good))
    assert read.ignored.count == len(junk)
    assert len(str(read.ignored)) < LONGEST_STATUS


@settings(deadline=None)
@given(st.lists(GOOD, min_size=1, max_size=12))
def test_a_record_counts_once(good: list[bytes]) -> None:
    """Said twice, or in another case, it is the same record and nothing to complain of."""
    again = b",".join([*good, *(entry.upper() for entry in good)])
    assert (records(again), ignored(again)) == (records(b",".join(good)), "")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("A 11.0.2.300", "'A 11.0.2.300': not an IPv4 address"),
        ("AAAA fe80::1%eth0", "'AAAA fe80::1%eth0': not an IPv6 address"),
        ("MX mail.example", "'MX mail.example': type 'MX' is none of A, AAAA, NS, CNAME"),
        ("NS two names", "'NS two names': expected 'TYPE value'"),
        ("A", "'A': expected 'TYPE value'"),
        ("A 11.0.2.1,", "'': expected 'TYPE value'"),
        ("NS .", "'NS .': not a name: empty"),
        ("NS 11.0.2.1", "'NS 11.0.2.1': not a name: an IP address, not a domain name"),
        ("CNAME Owner.Example.", "'CNAME Owner.Example.': an alias of itself"),
        ("A 127.0.0.1", "'A 127.0.0.1': special-purpose address (loopback)"),
        ("A 203.0.113.66", "'A 203.0.113.66': special-purpose address (documentation)"),
        ("A 10.0.0.1", "'A 10.0.0.1': special-purpose address (private use)"),
        (b"NS \xff.example", r"'NS \\xff.example': not UTF-8"),
        ("NS \ud800.example", r"'NS \\xed\\xa0\\x80.example': not UTF-8"),
        ("A " + "9" * 200, f"'A {'9' * 58}...': not an IPv4 address"),
        ("MX a,MX b,MX c,MX d,MX e", "; and 2 more"),
    ],
)
def test_what_is_left_out_is_named(raw: bytes | str, reason: str) -> None:
    """The first entries with what is wrong with each, shortened; the others are counted."""
    assert reason in ignored(raw)
    assert len(ignored(raw)) < LONGEST_STATUS


def test_the_most_records_of_a_type_are_read() -> None:
    """Sixty-four of a type count; a crowd of addresses does not push the name servers out."""
    crowd = [f"A 11.0.{number // 250}.{number % 250}" for number in range(MAX_ANSWERS + 3)]
    read = read_answers(",".join([*crowd, "NS ns1.example.net"]), OWNER)
    assert [answer.kind for answer in read.records] == ["A"] * MAX_ANSWERS + ["NS"]
    assert read.ignored.count == 3
    assert "'A 11.0.0.64': beyond 64 records of its type" in str(read.ignored)


def test_one_long_entry_takes_no_room() -> None:
    """What does not fit is left out by itself, first or last."""
    long = "x" * (MAX_ANSWERS_BYTES + 1)
    for text in (f"{long},A 11.0.2.1", f"A 11.0.2.1,{long}"):
        assert [answer.address for answer in records(text)] == ["11.0.2.1"]
        assert "beyond 8192 bytes" in ignored(text)


def test_what_is_read_is_bounded() -> None:
    """Entries beyond the limit are counted without being read."""
    text = "," * (MAX_ENTRIES - 1) + ",A 11.0.2.1," + "," * 1_000_000
    assert records(text) == ()
    assert read_answers(text, OWNER).ignored.count == text.count(",") + 1
    assert len(ignored(text)) < LONGEST_STATUS


def test_private_addresses_are_a_setting() -> None:
    """An operator may let addresses of the own network count; no other special address ever does."""
    text = "A 10.0.0.1, A 100.64.0.1, AAAA fd00::1, A 127.0.0.1, A 192.0.2.1"
    assert records(text) == ()
    admitted = read_answers(text, OWNER, private=True)
    assert [answer.address for answer in admitted.records] == ["10.0.0.1", "100.64.0.1", "fd00::1"]
    assert admitted.ignored.count == 2


def test_a_single_record_is_refused_by_its_own_error() -> None:
    """Whoever reads records one by one learns what is wrong with one."""
    with pytest.raises(UnusableRecord, match="not an IPv6 address"):
        parse_record("AAAA", "nonsense")


@settings(deadline=None)
@given(st.lists(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), min_size=1, max_size=8))
def test_every_address_reads_back_or_is_named(addresses: list) -> None:
    """Addresses that may be evidence come back as the ipaddress module writes them, the others are counted."""
    text = ", ".join(f"{'A' if address.version == 4 else 'AAAA'} {address}" for address in addresses)
    evident = dict.fromkeys(str(address) for address in addresses if may_be_evidence(address))
    read = read_answers(text, OWNER)
    assert [answer.address for answer in read.records] == list(evident)
    assert read.ignored.count == sum(not may_be_evidence(address) for address in addresses)


@settings(deadline=None)
@given(st.one_of(st.text("AaNnSs, .1:\u00fc\ud800", max_size=40), st.binary(max_size=40)))
def test_any_input_is_read(raw: bytes | str) -> None:
    """Nothing whatever raises, and every entry is used or counted."""
    read = read_answers(raw, OWNER)
    assert all(answer.address or answer.name for answer in read.records)
    octets = raw if isinstance(raw, bytes) else raw.encode(errors="surrogatepass")
    assert len(read.records) + read.ignored.count <= octets.count(b",") + 1
