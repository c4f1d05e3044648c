import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.name_octets import octets_of
from explainer.name_text import parts_of, target_parts, written
from tests.explainer.ego_graphs import lone
from transformer.domain_name import DomainName, NotADomainName, parse_domain

HARD_NAMES = (
    "com",
    "co.uk",
    "github.io",
    "localhost",
    "printer.lan",
    "a.printer.lan",
    "example.com",
    "www.example.co.uk",
    "_dmarc.example.com",
    "alice.github.io",
    "b\u00fccher.example",
    "www.xn--bcher-kva.example",
    "xn--p1ai",
    "www.kremlin.xn--p1ai",
    r"first\.last.example.com",
    r"www.back\\slash.co.uk",
    r"www.ends-in-dot\..lan",
    r"\001\255.test",
    "x.y.ck",
    "www.ck",
    ".".join(["a" * 63] * 3 + ["b" * 57, "com"]),
)

# The suffix list is read by the first example: that one is slow.
relaxed = settings(deadline=None)

labels = st.one_of(
    st.text("abz019-_", min_size=1, max_size=8),
    st.sampled_from(["www", "b\u00fccher", "xn--bcher-kva", r"a\.b", r"\007", "\u65e5\u672c", "a\\\\"]),
)
suffixes = st.sampled_from(["", "com", "co.uk", "github.io", "xn--p1ai", "lan", "ck", "kawasaki.jp"])
dotted = st.builds(
    lambda left, suffix: ".".join(filter(None, [*left, suffix])), st.lists(labels, max_size=4), suffixes
)
raw_names = st.one_of(dotted, st.text("ab.\\0689-_\u00fc\u3002xn", max_size=30))
# What stands between dots: no part begins or ends with one.
part = st.lists(st.text("ab-\\0", min_size=1, max_size=5), max_size=3).map(".".join).map(str.encode)


def parsed_or_none(raw: str) -> DomainName | None:
    try:
        return parse_domain(raw)
    except NotADomainName:
        return None


def assert_cut_and_written(name: DomainName) -> None:
    text = name.octets
    parts = parts_of(text, name.label_start, name.suffix_start)
    assert written(parts) == (text, name.label_start, name.suffix_start)
    assert b".".join(filter(None, parts)) == text
    assert parts[2] == octets_of(name.public_suffix)


@pytest.mark.parametrize("raw", HARD_NAMES)
def test_a_hard_name_is_written_as_it_was_read(raw: str) -> None:
    """Suffixes alone, unlisted ones, single labels, xn-- and escapes: cut and written, each is itself again."""
    assert_cut_and_written(parse_domain(raw))


@relaxed
@given(raw_names)
def test_every_name_is_written_as_it_was_read(raw: str) -> None:
    """Whatever the parser accepts is cut where the parser says, and written with the same places."""
    name = parsed_or_none(raw)
    if name is not None:
        assert_cut_and_written(name)


@relaxed
@given(st.tuples(part, part, part))
def test_any_parts_are_read_as_they_were_written(parts: tuple[bytes, bytes, bytes]) -> None:
    """Parts of different names make a name whose parts they are again, with places in order."""
    name, label_start, suffix_start = written(parts)
    assert 0 <= label_start <= suffix_start <= len(name)
    assert parts_of(name, label_start, suffix_start) == parts


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("www.shop.example.co.uk", (b"www.shop", b"example", b"co.uk")),
        ("example.com", (b"", b"example", b"com")),
        ("co.uk", (b"", b"", b"co.uk")),
        ("www.printer.lan", (b"www", b"printer.lan", b"")),
        ("localhost", (b"", b"localhost", b"")),
    ],
)
def test_parts_are_those_people_would_name(name: str, parts: tuple[bytes, bytes, bytes]) -> None:
    """Sub-domain, label and suffix stand apart; a name under no listed suffix has its end in the label."""
    split = parse_domain(name)
    assert parts_of(name.encode(), split.label_start, split.suffix_start) == parts


def test_a_graph_is_about_its_target() -> None:
    """Of a batch, each graph's parts are those of the name that it was cut for."""
    graphs = lone("www.example.co.uk", "printer.lan", "com")
    assert [target_parts(graphs, graph) for graph in range(3)] == [
        (b"www", b"example", b"co.uk"),
        (b"", b"printer.lan", b""),
        (b"", b"", b"com"),
    ]
