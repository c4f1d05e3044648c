import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.feature_schema import MAX_NAME_LENGTH
from tests.transformer.wire_names import Wire, canonical, spellings, wire_names
from transformer.domain_name import NotADomainName, parse_domain

# The suffix list is read by the first example: that one is slow.
relaxed = settings(deadline=None)
LONGEST = r"\255" * 63


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        (b"_dmarc.example.com", "_dmarc.example.com"),
        ("localhost", "localhost"),
        ("-a-.example", "-a-.example"),
        ("a*b.example", "a*b.example"),
        ("*.duckdns.org", "*.duckdns.org"),
        ("x" * 63 + ".example", "x" * 63 + ".example"),
        # Internationalised.
        ("B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("b\u00fccher.example".encode(), "xn--bcher-kva.example"),
        ("fa\u00df.de", "xn--fa-hia.de"),
        ("\u65e5\u672c\u3002co.jp", "xn--wgv71a.co.jp"),
        ("i\u2764.ws", "xn--i-7iq.ws"),
        ("b\u00fc_cher.example", "xn--b_cher-3ya.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("p\u0430ypal.com", "xn--pypal-4ve.com"),
        ("a\u05d0.com", "xn--a-0hc.com"),
        ("\uff58n--b.com", "xn--b.com"),
        # Begins with xn-- and is no A-label: letters.
        ("a.xn--b.paypal-secure-login.xyz", "a.xn--b.paypal-secure-login.xyz"),
        ("xn--.com", "xn--.com"),
        ("XN---.com", "xn---.com"),
        ("xn--99999999.com", "xn--99999999.com"),
        ("xn--abc-.com", "xn--abc-.com"),
        ("xn--example-.com", "xn--example-.com"),
        ("xn--xn--bcher-kva-.com", "xn--xn--bcher-kva-.com"),
        ("xn--zn7c.com", "xn--zn7c.com"),
        ("xn--" + "9" * 59 + ".com", "xn--" + "9" * 59 + ".com"),
        ("ab--cd.example", "ab--cd.example"),
        # What IDNA makes no label of: its UTF-8 octets.
        ("xn--\u00fc.com", r"xn--\195\188.com"),
        ("\u00ad.com", r"\194\173.com"),
        ("\u2100.com", r"\226\132\128.com"),
        ("\u2488com.example", r"\226\146\136com.example"),
        ("\U000e0001.com", r"\243\160\128\129.com"),
        ("\u00fc\\000.com", r"\195\188\000.com"),
        (b"\xff.com", r"\255.com"),
        (b"\xff\xc2\x85\xe3\x80\x82.com", r"\255\194\133\227\128\130.com"),
        (b"b\xfccher.\xc3\xbc.com", r"b\252cher.\195\188.com"),
        # Escapes.
        (r"first\.last.example.com", r"first\046last.example.com"),
        (r"back\\.example.com", r"back\092.example.com"),
        (r"\065\001.example.com", r"a\001.example.com"),
        (r"verif\121888.tk", "verify888.tk"),
        (r"my\ printer._ipp._tcp.local", r"my\032printer._ipp._tcp.local"),
        (r"user\@host.example", r"user\064host.example"),
        (r"sip\:x.example", r"sip\058x.example"),
        (r"128\/26.example", r"128\04726.example"),
        ("\\\u00fc.com", r"\195\188.com"),
        (b"\\\xff.com", r"\255.com"),
        (r"1.2.3\.4", r"1.2.3\0464"),
        ("128/26.2.0.192.in-addr.arpa.", r"128\04726.2.0.192.in-addr.arpa"),
        # Octets are counted, not characters.
        (f"{LONGEST}.{LONGEST}.{LONGEST}.{LONGEST[:-8]}", f"{LONGEST}.{LONGEST}.{LONGEST}.{LONGEST[:-8]}"),
        (r"\000." * 126 + r"\000.", (r"\000." * 127)[:-1]),
    ],
)
def test_names_legal_on_the_wire_are_normalised(raw: bytes | str, name: str) -> None:
    """Every spelling of a name becomes lower-case ASCII without the root dot."""
    assert parse_domain(raw).name == name
    assert parse_domain(name).name == name


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "empty"),
        (".", "empty"),
        ("a..b", "empty label"),
        (".com", "empty label"),
        ("paypal-login-verify201.tk..", "empty label"),
        ("\u3002", "empty label"),
        ("x" * 64 + ".com", r"a label is longer than 63 octets \(64\)"),
        (r"\000" * 64 + ".com", r"a label is longer than 63 octets \(64\)"),
        ("\u00fc" * 63 + ".com", "a label is longer than 63 octets"),
        ("a." * 126 + "ab", r"longer than 253 octets \(254\)"),
        (r"\000." * 126 + r"\000\000", r"longer than 253 octets \(254\)"),
        ("a" * 5000, "longer than 253 octets"),
        ("\u65e5." * 500, r"longer than 253 octets \(500 labels\)"),
        ("https://example.com/", "URL"),
        ("example.com/path", "URL or path"),
        ("http://2.0.192.in-addr.arpa", "URL"),
        ("example.com:443", "port or URL"),
        ("someone@example.com", "e-mail"),
        ("two words.com", "spaces or control characters"),
        ("tab\t.com", "spaces or control characters"),
        ("nul\0.com", "spaces or control characters"),
        ("192.0.2.1", "an IP address"),
        ("192.0.2.1.", "an IP address"),
        (r"192.0.2.\049", "an IP address"),
        ("\uff11.2.3.4", "an IP address"),
        ("2001:db8::1", "an IP address"),
        ("[2001:db8::1]", "an IP address"),
        ("\ud800.com", "surrogate"),
        ("\\\ud800.com", "surrogate"),
        (r"a\256.com", "escape over"),
        (r"a\999.com", "escape over"),
        (r"a\25.com", "backslash"),
        ("a\\", "backslash"),
    ],
)
def test_other_things_are_refused_with_a_reason(raw: bytes | str, reason: str) -> None:
    """What is no name is refused with a sentence that names the problem and the limit."""
    with pytest.raises(NotADomainName, match=reason) as refusal:
        parse_domain(raw)
    # It is shown to the caller, as UTF-8.
    assert str(refusal.value).encode()


@relaxed
@given(st.data(), wire_names)
def test_every_spelling_of_a_wire_name_is_that_name(data: st.DataObject, wire: Wire) -> None:
    """Whatever octets its labels have, within the limits, and the same as text and as bytes."""
    spelling = data.draw(spellings(wire))
    domain = parse_domain(spelling)
    assert domain.name == canonical(wire)
    assert domain == parse_domain(spelling.encode()) == parse_domain(domain.name)
    assert len(domain.octets) == sum(map(len, wire)) + len(wire) - 1 <= MAX_NAME_LENGTH


@relaxed
@given(wire_names, wire_names)
def test_names_that_differ_on_the_wire_stay_different(one: Wire, other: Wire) -> None:
    """Capitals alone make no other name."""
    same = [label.lower() for label in one] == [label.lower() for label in other]
    names = [parse_domain(canonical(wire)) for wire in (one, other)]
    assert (names[0].name == names[1].name) == (names[0].octets == names[1].octets) == same


@relaxed
@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4).map(".".join))
def test_any_text_is_a_name_within_the_limits_or_refused_with_a_reason(text: str) -> None:
    """No text raises anything else."""
    assert said_of(text).startswith(
        ("a name", "empty", "longer", "a label is longer", "contains", "a URL", "an IP address", "holds half")
    )


def said_of(text: str) -> str:
    """Why a text is refused, or that it is a name, whose lengths are right then."""
    try:
        octets = parse_domain(text).octets
    except NotADomainName as refusal:
        return str(refusal)
    assert 0 < len(octets) <= MAX_NAME_LENGTH
    assert all(0 < len(label) <= 63 for label in octets.split(b"."))
    return "a name"


@relaxed
@given(
    st.binary(min_size=1, max_size=20).filter(
        lambda raw: not set(raw) & set(b"\\./:@ \t\r\n\x0b\x0c\x7f") and min(raw) > 0x20
    )
)
def test_raw_octets_are_read_whatever_their_encoding(raw: bytes) -> None:
    """Octets that are no UTF-8 stand for themselves, also where a part of them would be a space or a dot."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        assert parse_domain(raw + b".example.net").name == f"{canonical((raw,))}.example.net"
