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

LABELS = st.binary(min_size=1, max_size=20)
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(lambda labels: dns.name.Name([*labels, b""]))
PLAIN = st.from_regex(r"[a-zA-Z0-9_-]{1,12}(\.[a-zA-Z0-9-]{1,12}){0,3}", fullmatch=True)


def response(question: dns.name.Name, *records: tuple[str, str, str]) -> bytes:
    """A response with records (owner, type, data)."""
    message = dns.message.make_query(question, "A", id=7)
    message.flags |= dns.flags.QR
    for owner, kind, data in records:
        message.answer.append(dns.rrset.from_text(owner, 60, "IN", kind, data))
    return message.to_wire()


@given(NAMES)
def test_any_name_is_read(name: dns.name.Name) -> None:
    """Whatever octets its labels have, the text names the same, in lower case."""
    read, qtype, rcode, records = read_response(response(name))
    assert (qtype, rcode, records) == (A, 0, ())
    again = dns.name.from_text(read)
    assert again == name
    assert all(label == label.lower() for label in again.labels)


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
    name, _, _, records = read_response(wire)
    assert name == "www.example.com"
    assert records == (
        Record("www.example.com", CNAME, "edge.example.net"),
        Record("edge.example.net", A, "192.0.2.1"),
        Record("edge.example.net", AAAA, "2001:db8::1"),
        Record("example.com", NS, "ns1.example.com"),
    )
    assert answers_text(records) == (
        "CNAME edge.example.net, A 192.0.2.1, AAAA 2001:db8::1, NS ns1.example.com"
    )


def test_many_and_long_answers_are_bounded() -> None:
    """At most 64 records in a message and in what the transformer is told, and no comma in a name."""
    wire = response(
        dns.name.from_text("a.example"), *(("a.example.", "A", f"192.0.2.{n}") for n in range(100))
    )
    records = read_response(wire)[3]
    assert len(records) == 64
    assert answers_text(records).count(",") == 63
    assert answers_text((Record("a", CNAME, "a,b.example"),)) == ""


WIRE = response(dns.name.from_text("a.example.com"), ("a.example.com.", "A", "192.0.2.1"))


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"", "cut short"),
        (WIRE[:2] + b"\x01\x00" + WIRE[4:], "no response"),
        (WIRE[:4] + b"\x00\x02" + WIRE[6:], "2 questions"),
        (WIRE[:12] + b"\xc0\x0c" + WIRE[14:], "circle"),
        (WIRE[:12] + b"\x40" + WIRE[13:], "unknown kind"),
        (WIRE[:-1], "cut short"),
        (WIRE[:-6] + b"\x00\x05" + WIRE[-4:] + b"\x00", "A record of 5 octets"),
    ],
)
def test_what_is_broken_is_said(wire: bytes, complaint: str) -> None:
    """One line that says what."""
    with pytest.raises(BrokenMessage, match=complaint):
        read_response(wire)


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
