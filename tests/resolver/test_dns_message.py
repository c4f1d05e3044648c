"""Our short parser reads what dnspython reads, and refuses what is broken without another error."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.dns_message import BrokenMessage, read_response
from resolver.observations import AAAA, CNAME, NS, A, Record, answers_text
from resolver.wire_names import from_text, joined, labels_of

LABELS = st.binary(min_size=1, max_size=20)
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(lambda labels: dns.name.Name([*labels, b""]))


def response(question: dns.name.Name, *records: tuple[str, str, str]) -> bytes:
    """A response with records (owner, type, data)."""
    message = dns.message.make_query(question, "A", id=7)
    message.flags |= dns.flags.QR
    for owner, kind, data in records:
        message.answer.append(dns.rrset.from_text(owner, 60, "IN", kind, data))
    return message.to_wire()


@given(NAMES)
def test_any_name_is_read(name: dns.name.Name) -> None:
    """Whatever octets its labels have, as they are, in lower case."""
    read, qtype, rcode, records, broken = read_response(response(name))
    assert (qtype, rcode, records, broken) == (A, 0, (), 0)
    assert (*labels_of(read), b"") == name.canonicalize().labels


def test_records_of_our_types_are_read() -> None:
    """An alias, its addresses and a name server, with compressed names; other types are passed over."""
    wire = response(
        dns.name.from_text("WWW.Example.com"),
        ("www.example.com.", "CNAME", "Edge.example.net."),
        ("edge.example.net.", "A", "192.0.2.1"),
        ("edge.example.net.", "TXT", '"text"'),
        ("edge.example.net.", "AAAA", "2001:db8::1"),
        ("example.com.", "NS", "ns1.example.com."),
    )
    name, _, _, records, _ = read_response(wire)
    assert name == from_text("www.example.com")
    assert records == (
        Record(from_text("www.example.com"), CNAME, from_text("edge.example.net")),
        Record(from_text("edge.example.net"), A, bytes([192, 0, 2, 1])),
        Record(from_text("edge.example.net"), AAAA, bytes.fromhex("20010db8" + 23 * "0" + "1")),
        Record(from_text("example.com"), NS, from_text("ns1.example.com")),
    )
    assert answers_text(records) == (
        "CNAME edge.example.net, A 192.0.2.1, AAAA 2001:db8::1, NS ns1.example.com"
    )


def test_many_and_long_answers_are_bounded() -> None:
    """At most 64 records in a message, 16 and a kibibyte in what the transformer is told, and no comma in a name."""
    wire = response(
        dns.name.from_text("a.example"), *(("a.example.", "A", f"192.0.2.{n}") for n in range(100))
    )
    records = read_response(wire).records
    assert len(records) == 64
    assert answers_text(records).count(",") == 15
    long = Record(b"\1a", CNAME, b"\x3f" + b"\xff" * 63 + (b"\x3f" + b"\xff" * 63) * 2)
    assert answers_text((long, long, records[0])) == f"{answers_text((long,))}, A 192.0.2.0"
    assert answers_text((Record(b"\1a", CNAME, b"\3a,b"),)) == "CNAME a\\044b"


WIRE = response(dns.name.from_text("a.example.com"), ("a.example.com.", "A", "192.0.2.1"))


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"", "cut short"),
        (WIRE[:2] + b"\x01\x00" + WIRE[4:], "no response"),
        (WIRE[:4] + b"\x00\x02" + WIRE[6:], "2 questions"),
        (WIRE[:12] + b"\xc0\x0c" + WIRE[14:], "circle"),
        (WIRE[:12] + b"\x40" + WIRE[13:], "unknown kind"),
        (WIRE[:20], "cut short"),
    ],
)
def test_what_is_broken_is_said(wire: bytes, complaint: str) -> None:
    """One line that says what."""
    with pytest.raises(BrokenMessage, match=complaint):
        read_response(wire)


TWO = response(
    dns.name.from_text("a.example.com"),
    ("a.example.com.", "A", "192.0.2.1"),
    ("a.example.com.", "A", "192.0.2.2"),
)


@pytest.mark.parametrize(
    ("wire", "whole", "broken"),
    [
        (TWO, 2, 0),
        (TWO[:-1], 1, 1),
        (TWO[:-30], 0, 2),
        (TWO.replace(b"\x00\x04\xc0\x00\x02\x01", b"\x00\x05\xc0\x00\x02\x01\x07"), 1, 1),
        (TWO.replace(b"\x00\x04\xc0\x00\x02\x01", b"\x00\x00"), 1, 1),
        (TWO[:7] + b"\x09" + TWO[8:], 2, 7),
    ],
)
def test_one_broken_record_takes_no_other_with_it(wire: bytes, whole: int, broken: int) -> None:
    """Whoever owns a name may put one beside the others: the name is scored, and by what is whole."""
    read = read_response(wire)
    assert read.name == from_text("a.example.com")
    assert (len(read.records), read.broken_records) == (whole, broken)


def test_a_name_costs_no_more_than_its_octets() -> None:
    """Thirty-two pointers to sixty thousand short labels are not followed through them, for any record."""
    labels = b"\x01a" * 30_000
    loop = WIRE[:6] + b"\x00\x40" + WIRE[8:-16]
    records = b"".join(
        (0xC000 | 0x0C).to_bytes(2, "big") + b"\0\2\0\1\0\0\0\0\0\2\xc0\xff" for _ in range(64)
    )
    assert len(read_response(loop + records + labels).records) <= 64
    with pytest.raises(BrokenMessage, match="255"):
        read_response(WIRE[:12] + labels)


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=4), st.integers(0, 3))
def test_compression_makes_no_other_name(labels: list[bytes], at: int) -> None:
    """A pointer to the end of the question stands for these labels."""
    name = joined(labels)
    question = dns.name.Name([*labels_of(name), b""])
    wire = response(question, ("a.example.com.", "A", "192.0.2.1"))
    at = min(at, len(labels) - 1)
    place = 12 + sum(1 + len(label) for label in labels[:at])
    owner = b"\x01x" + (0xC000 | place).to_bytes(2, "big")
    record = owner + b"\0\1\0\1\0\0\0\0\0\4abcd"
    body = wire[: 12 + len(name) + 1 + 4] + record
    [read] = read_response(body).records
    assert read.owner == joined([b"x", *labels[at:]])


def test_a_name_that_is_too_long_is_refused() -> None:
    """Pointers can make names of any length out of few octets."""
    labels = b"".join(bytes([63]) + b"a" * 63 for _ in range(4))
    with pytest.raises(BrokenMessage, match="255"):
        read_response(WIRE[:12] + labels + b"\x00" + WIRE[-20:])


@settings(max_examples=500)
@given(st.data())
def test_damaged_messages_never_raise_anything_else(data: st.DataObject) -> None:
    """Any octets changed, cut or put in: read, or refused as broken."""
    wire = bytearray(WIRE)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(wire) - 1))
        wire[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(wire)))
    try:
        read_response(bytes(wire[:cut]))
    except BrokenMessage:
        return
