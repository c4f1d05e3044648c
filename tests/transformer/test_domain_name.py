import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.feature_schema import MAX_NAME_LENGTH
from contract.name_octets import octets_of, text_of
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
        (r"a.b\046c.co.uk", r"b\046c.co.uk", "co.uk", r"b\046c", False),
        (r"a\046b.c\000d.\200\201", "", "", r"c\000d", False),
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
        assert 0 < len(domain.octets) <= MAX_NAME_LENGTH


@relaxed
@given(anything)
def test_parts_lie_where_they_are_said_to(raw: str) -> None:
    """Label and suffix begin at their positions; the suffix position is the length where there is none."""
    domain = parsed_or_none(raw)
    if domain is not None:
        octets = domain.octets
        assert 0 <= domain.label_start <= domain.suffix_start <= len(octets)
        assert octets[domain.suffix_start :] == octets_of(domain.public_suffix)
        assert domain.registrable_label
        assert octets.startswith(octets_of(domain.registrable_label), domain.label_start)
        assert domain.registered_domain in ("", text_of(octets[domain.label_start :]))


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
