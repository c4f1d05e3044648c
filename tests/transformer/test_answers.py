import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transformer.answers import Answer, UnreadableAnswers, UnreadableRecord, parse_answers, parse_record
from transformer.domain_name import parse_domain


def test_records_are_read_in_order() -> None:
    """Types in any case, spaces anywhere; addresses and names come out canonical."""
    answers = parse_answers(" a 192.0.2.1,AAAA  2001:DB8:0::0:1 ,\tns NS1.Example.net., CName x.example ")
    assert answers == (
        Answer("A", "192.0.2.1", None),
        Answer("AAAA", "2001:db8::1", None),
        Answer("NS", "", parse_domain("ns1.example.net")),
        Answer("CNAME", "", parse_domain("x.example")),
    )


@pytest.mark.parametrize("raw", ["", b"", "  ", b"\n"])
def test_no_text_holds_no_answers(raw: bytes | str) -> None:
    """An empty string is a caller that saw no answers, not an error."""
    assert parse_answers(raw) == ()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("A 192.0.2.300", "'A 192.0.2.300': not an IPv4 address"),
        ("A 2001:db8::1", "not an IPv4 address"),
        ("AAAA 192.0.2.1", "not an IPv6 address"),
        ("AAAA fe80::1%eth0", "not an IPv6 address"),
        ("MX mail.example", "type 'MX' is none of A, AAAA, NS, CNAME"),
        ("NS two names", "expected 'TYPE value', got 'NS two names'"),
        ("A", "expected 'TYPE value', got 'A'"),
        ("A 192.0.2.1,", "expected 'TYPE value', got ''"),
        ("CNAME a..b", "'CNAME a..b': not a name: contains an empty label"),
        ("A " + "9" * 200, r"9\.\.\.': not an IPv4 address"),
        (b"\xff", "not UTF-8"),
        ("\ud800", "not UTF-8"),
        (",".join(["A 192.0.2.1"] * 65), r"more than 64 answers \(65\)"),
        ("x" * 8193, r"longer than 8192 bytes \(8193\)"),
        ("\u00fc" * 4097, r"longer than 8192 bytes \(8194\)"),
    ],
)
def test_unreadable_answers_name_the_bad_item(raw: bytes | str, reason: str) -> None:
    """Refusals quote the first bad item, shortened, or the limit that was passed."""
    with pytest.raises(UnreadableAnswers, match=reason):
        parse_answers(raw)


def test_the_most_answers_are_still_read() -> None:
    """Sixty-four answers are within the limit."""
    assert len(parse_answers(",".join(["A 192.0.2.1"] * 64))) == 64


def test_a_single_record_is_refused_by_its_own_error() -> None:
    """An importer that reads records one by one learns what is wrong with one."""
    with pytest.raises(UnreadableRecord, match="not an IPv6 address"):
        parse_record("AAAA", "nonsense")


@settings(deadline=None)
@given(st.lists(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), min_size=1, max_size=8))
def test_every_address_reads_back(addresses: list) -> None:
    """Addresses of both kinds come back as the ipaddress module writes them."""
    text = ", ".join(f"{'A' if address.version == 4 else 'AAAA'} {address}" for address in addresses)
    assert [answer.address for answer in parse_answers(text)] == [str(address) for address in addresses]


@settings(deadline=None)
@given(st.one_of(st.text("AaNnSs, .1:\u00fc", max_size=40), st.binary(max_size=40)))
def test_any_input_is_read_or_refused(raw: bytes | str) -> None:
    """Nothing whatever raises anything but UnreadableAnswers."""
    with contextlib.suppress(UnreadableAnswers):
        assert all(answer.address or answer.name for answer in parse_answers(raw))
