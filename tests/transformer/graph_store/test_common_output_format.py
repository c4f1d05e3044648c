import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transformer.graph_store import Observation, UnusableLine, UnusedType, parse_line

GOOD = {
    "rrname": "example.com",
    "rrtype": "A",
    "rdata": "192.0.2.1",
    "time_first": 5,
    "time_last": 9,
    "count": 3,
}


def line(**changes: object) -> bytes:
    return json.dumps({key: value for key, value in (GOOD | changes).items() if value is not ...}).encode()


def test_a_line_gives_its_observation() -> None:
    """Every used field of a line arrives in the observation."""
    assert parse_line(line()) == Observation("example.com", "A", ("192.0.2.1",), 5, 9, 3)


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"rdata": ["192.0.2.1", "192.0.2.2"]}, "rdata", ("192.0.2.1", "192.0.2.2")),
        ({"rrtype": "aaaa"}, "rrtype", "AAAA"),
        ({"count": ...}, "count", 1),
        ({"count": "12"}, "count", 12),
        ({"time_first": ..., "time_last": ..., "zone_time_first": 1, "zone_time_last": 2}, "last_seen", 2),
        ({"sensor_id": "x"}, "count", 3),
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
