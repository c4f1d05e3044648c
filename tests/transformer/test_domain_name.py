import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.feature_schema import MAX_NAME_LENGTH
from transformer.domain_name import DomainName, NotADomainName, parse_domain, split_names

SUFFIXES = ["com", "co.uk", "uk", "github.io", "xn--p1ai", "lan", "ck", "y.ck", "kawasaki.jp", "local.host"]

# The suffix list is read by the first example: that one is slow.
relaxed = settings(deadline=None)

labels = st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True).filter(lambda label: label[:4] != "xn--")
plain_names = st.builds(
    lambda left, suffix: ".".join([*left, suffix]),
    st.lists(labels, min_size=0, max_size=4),
    st.sampled_from(SUFFIXES),
)
anything = st.one_of(
    plain_names,
    st.text(max_size=80),
    st.text("ab.\\0689/@:-_\u00fc\u3002\u200dxn", max_size=40),
)


def parsed_or_none(raw: bytes | str) -> DomainName | None:
    try:
        return parse_domain(raw)
    except NotADomainName:
        return None


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        (b"_dmarc.example.com", "_dmarc.example.com"),
        ("localhost", "localhost"),
        ("B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("b\u00fccher.example".encode(), "xn--bcher-kva.example"),
        ("fa\u00df.de", "xn--fa-hia.de"),
        ("\u65e5\u672c\u3002co.jp", "xn--wgv71a.co.jp"),
        ("i\u2764.ws", "xn--i-7iq.ws"),
        ("b\u00fc_cher.example", "xn--b_cher-3ya.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        (r"first\.last.example.com", r"first\046last.example.com"),
        (r"back\\.example.com", r"back\092.example.com"),
        (r"\065\001.example.com", r"a\001.example.com"),
        ("-a-.example", "-a-.example"),
        ("a*b.example", "a*b.example"),
        ("x" * 63 + ".example", "x" * 63 + ".example"),
    ],
)
def test_names_legal_on_the_wire_are_normalised(raw: bytes | str, name: str) -> None:
    """Every spelling of a name becomes lower-case ASCII without the root dot."""
    assert parse_domain(raw).name == name


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "empty"),
        (".", "empty"),
        ("a..b", "empty label"),
        (".com", "empty label"),
        ("x" * 64 + ".com", r"a label is longer than 63 octets \(64\)"),
        ("\u00fc" * 63 + ".com", "a label is longer than 63 octets"),
        ("a." * 126 + "ab", r"longer than 253 octets \(254\)"),
        ("a" * 5000, "longer than 253 octets"),
        ("https://example.com/", "URL"),
        ("example.com/path", "URL or path"),
        ("example.com:443", "port or URL"),
        ("someone@example.com", "e-mail"),
        ("two words.com", "spaces or control characters"),
        ("tab\t.com", "spaces or control characters"),
        ("nul\0.com", "spaces or control characters"),
        ("192.0.2.1", "an IP address"),
        ("192.0.2.1.", "an IP address"),
        ("2001:db8::1", "an IP address"),
        ("[2001:db8::1]", "an IP address"),
        ("xn--\u00fc.com", "not a legal internationalised name"),
        ("xn--99999999.com", "bad punycode"),
        ("xn--abc-.com", "bad punycode"),
        ("\u00ad.com", "not a legal internationalised name"),
        ("\u2100.com", "not a legal internationalised name"),
        ("\ud800.com", "not a legal internationalised name"),
        (b"\xff.com", "not UTF-8"),
        (r"a\256.com", "escape over"),
        ("a\\", "backslash"),
    ],
)
def test_other_things_are_refused_with_a_reason(raw: bytes | str, reason: str) -> None:
    """What is no name is refused with a sentence that names the problem and the limit."""
    with pytest.raises(NotADomainName, match=reason):
        parse_domain(raw)


@pytest.mark.parametrize(
    ("name", "registered", "suffix", "label", "private"),
    [
        ("www.example.co.uk", "example.co.uk", "co.uk", "example", False),
        ("example.com", "example.com", "com", "example", False),
        ("a.alice.github.io", "alice.github.io", "github.io", "alice", True),
        ("github.io", "", "github.io", "github", True),
        ("co.uk", "", "co.uk", "co", False),
        ("com", "", "com", "com", False),
        ("printer.lan", "", "", "printer", False),
        ("a.b.lan", "", "", "b", False),
        ("localhost", "", "", "localhost", False),
        ("www.ck", "www.ck", "ck", "www", False),
        ("x.y.ck", "x.y.ck", "y.ck", "x", False),
        ("a.xn--55qx5d.cn", "a.xn--55qx5d.cn", "xn--55qx5d.cn", "a", False),
    ],
)
def test_registered_domain(name: str, registered: str, suffix: str, label: str, private: bool) -> None:
    """The registered domain is the public suffix, private ones included, and one label."""
    domain = parse_domain(name)
    assert (domain.registered_domain, domain.public_suffix) == (registered, suffix)
    assert (domain.registrable_label, domain.suffix_is_private) == (label, private)


@relaxed
@given(anything)
def test_parsing_twice_is_parsing_once(raw: str) -> None:
    """Whatever is accepted is a fixed point, within the limits, and the same as bytes."""
    domain = parsed_or_none(raw)
    if domain is not None:
        assert parse_domain(domain.name) == domain
        assert parse_domain(raw.encode()) == domain
        assert domain.name.isascii()
        assert domain.name == domain.name.lower()
        assert 0 < len(domain.name) <= MAX_NAME_LENGTH


@relaxed
@given(anything)
def test_parts_lie_where_they_are_said_to(raw: str) -> None:
    """Label and suffix begin at their positions; the suffix position is the length where there is none."""
    domain = parsed_or_none(raw)
    if domain is not None:
        assert 0 <= domain.label_start <= domain.suffix_start <= len(domain.name)
        assert domain.name[domain.suffix_start :] == domain.public_suffix
        assert domain.registrable_label
        assert domain.name.startswith(domain.registrable_label, domain.label_start)
        assert domain.registered_domain in ("", domain.name[domain.label_start :])


@relaxed
@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No octets whatever raise anything but NotADomainName."""
    parsed_or_none(raw)


@relaxed
@given(st.lists(plain_names, max_size=5))
def test_normalised_names_are_split_in_bulk(names: list[str]) -> None:
    """Splitting names that are normalised already gives what parsing them gives."""
    assert split_names(names) == [parse_domain(name) for name in names]
