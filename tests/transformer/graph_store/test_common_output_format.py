import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transformer.graph_store import Observation, UnusableLine, UnusedType, parse_line
from transformer.graph_store.common_output_format import parse_record

GOOD = {
    "rrname": "example.com",
    "rrtype": "A",
    "rdata": "11.0.2.1",
    "time_first": 5,
    "time_last": 9,
    "count": 3,
}


def line(**changes: object) -> bytes:
    return json.dumps({key: value for key, value in (GOOD | changes).items() if value is not ...}).encode()


def test_a_line_gives_its_observation() -> None:
    """Every used field of a line arrives in the observation."""
    assert parse_line(line()) == Observation("example.com", "A", ("11.0.2.1",), 5, 9, 3)


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"rdata": ["11.0.2.1", "11.0.2.2"]}, "rdata", ("11.0.2.1", "11.0.2.2")),
        ({"rrtype": "aaaa"}, "rrtype", "AAAA"),
        ({"count": ...}, "count", 1),
        ({"count": "12"}, "count", 12),
        ({"time_first": ..., "time_last": ..., "zone_time_first": 1, "zone_time_last": 2}, "last_seen", 2),
        ({"sensor_id": "x"}, "count", 3),
        ({"count": None}, "count", 1),
        ({"count": 3.0}, "count", 3),
        ({"count": "1e3"}, "count", 1000),
        ({"rrtype": 1}, "rrtype", "A"),
        ({"rrtype": "28"}, "rrtype", "AAAA"),
        ({"rrtype": "TYPE2"}, "rrtype", "NS"),
        ({"rrtype": "type5"}, "rrtype", "CNAME"),
        ({"rrtype": " a "}, "rrtype", "A"),
        ({"rdata": " 11.0.2.1. "}, "rdata", ("11.0.2.1",)),
        ({"rdata": ["11.0.2.1", 5, None, "", ["x"]]}, "rdata", ("11.0.2.1",)),
        ({"time_first": None, "zone_time_first": 1, "zone_time_last": 2}, "last_seen", 2),
        ({"time_first": 1.9, "time_last": "7.5"}, "last_seen", 7),
        ({"time_last": 1.7e9}, "last_seen", 1_700_000_000),
        ({"time_last": "2023-11-14T22:13:20Z"}, "last_seen", 1_700_000_000),
        ({"time_last": "2023-11-14 22:13:20"}, "last_seen", 1_700_000_000),
        ({"time_last": "2023-11-14T23:13:20.25+01:00"}, "last_seen", 1_700_000_000),
        ({"time_last": "2023-11-14"}, "last_seen", 1_699_920_000),
    ],
)
def test_what_the_format_allows_is_read(changes: dict[str, object], field: str, value: object) -> None:
    """Lists, lower-case types, a missing count, zone times and unknown fields are all legal."""
    assert getattr(parse_line(line(**changes)), field) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff{}", "not JSON"),
        (line(rrname=...), "no rrname"),
        (line(rrname=7), "no rrname"),
        (line(rrtype=...), "no rrtype"),
        (line(rdata=...), "no rdata"),
        (line(rdata=[]), "no rdata"),
        (line(rdata=["", 5, None, {}]), "no rdata"),
        (line(time_first=...), "no time_first"),
        (line(time_last="yesterday"), "no time_last"),
        (line(time_first=10), "time_first after time_last"),
        (line(time_last=1_700_000_000_000), "no time_last"),
        (line(time_last="0001-01-01T00:00:00+14:00"), "no time_last"),
        (line(time_last=True), "no time_last"),
        (line(time_last="nan"), "no time_last"),
        (line(time_last="1_0"), "no time_last"),
        (line(rrtype=True), "no rrtype"),
        (line(rrtype=["A"]), "no rrtype"),
        (line(rrtype="\x1b[31m"), "no rrtype"),
        (line(rrtype="AAAA", rdata="fe80::1%eth0"), "rdata is not an address of its type"),
        (line(count=2.5), "no count"),
        (line(count="inf"), "no count"),
        (line(count=1e30), "no count"),
        (line(count=-1), "no count"),
        (line(count=True), "no count"),
        (line(count=1 << 60), "no count"),
    ],
)
def test_an_unusable_line_says_why(text: bytes, reason: str) -> None:
    """Each defect has its own reason, so that an import can count them."""
    with pytest.raises(UnusableLine) as caught:
        parse_line(text)
    assert caught.value.reason == reason


def test_other_record_types_are_told_apart_from_bad_lines() -> None:
    """A TXT record is not an error, only of no use."""
    with pytest.raises(UnusedType) as caught:
        parse_line(line(rrtype="TXT", rdata="hello"))
    assert caught.value.reason == "type TXT"


@settings(deadline=None)
@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_no_input_raises_anything_else(text: bytes | str) -> None:
    """Whatever a file holds, parsing gives an observation or a reason."""
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    with suppress(UnusableLine):
        assert isinstance(parse_line(raw), Observation)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional={name: VALUES | st.just(value) for name, value in GOOD.items()}))
def test_no_record_raises_anything_else(record: dict[str, object]) -> None:
    """Whatever the fields hold, a record gives an observation within its bounds, or a reason."""
    with suppress(UnusableLine):
        seen = parse_record(record)
        assert 0 <= seen.first_seen <= seen.last_seen < 1 << 32
        assert 0 <= seen.count <= 1 << 40
        assert all(seen.rdata)
