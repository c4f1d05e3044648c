"""Zeek's and DNS-collector's JSON is read a line at a time; a line that is none ends nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resolver.dns_message import read_response
from resolver.observations import answers_text
from resolver.replay.report import (
    BAD_NAME,
    BAD_ROW,
    BAD_TIME,
    BROKEN_MESSAGE,
    NO_RESPONSE,
    OTHER_CLASS,
    OTHER_SERVICE,
)
from tests.resolver.replay.captures import names, read

ZEEK = {
    "ts": 1700000000.1,
    "uid": "C1",
    "query": "www.example.org",
    "qtype": 1,
    "rcode": 0,
    "answers": ["edge.example.net", "192.0.2.1"],
}
AN = [
    {"name": "www.example.org", "rdatatype": "CNAME", "rdata": "edge.example.net"},
    {"name": "edge.example.net", "rdatatype": "A", "rdata": "192.0.2.1"},
    {"name": "edge.example.net", "rdatatype": "RRSIG", "rdata": "A 8"},
]
TAP = {"operation": "CLIENT_RESPONSE", "timestamp-rfc3339ns": "2023-11-14T22:13:20.123456789Z"}
DNS = {"qname": "www.example.org", "qtype": "A", "rcode": "NOERROR", "resource-records": {"an": AN}}


def written(folder: Path, *rows: object) -> Path:
    """A log; text stands there as it is."""
    path = folder / "log.json"
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def collected(dns: object = None, **tap: object) -> dict[str, object]:
    """A line of DNS-collector."""
    return {"network": {}, "dns": DNS if dns is None else dns, "dnstap": TAP | tap}


def answers(wire: bytes) -> str:
    """The answers of a response."""
    return answers_text(read_response(wire)[3])


@pytest.mark.parametrize("ts", [1700000000.1, 1700000000, 1700000000100, "2023-11-14T22:13:20.100000Z"])
def test_zeek_writes_times_in_three_ways(tmp_path: Path, ts: object) -> None:
    """Seconds, milliseconds, and RFC 3339."""
    [(wire, second)] = read(written(tmp_path, ZEEK | {"ts": ts}))[0]
    assert second == 1_700_000_000
    assert answers(wire) == "CNAME edge.example.net, A 192.0.2.1"


def test_rows_of_zeek_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    """No JSON, no object, other kinds of values, no name, no time; whatever stands in fields that nobody reads."""
    found, report = read(written(
        tmp_path, "{broken", ZEEK, "[1]", '"text"', "[" * 5000, "{" + '"a":{' * 5000, ZEEK | {"query": None}, ZEEK | {"query": ["a"]},
        ZEEK | {"query": "\ud800.example"}, ZEEK | {"ts": {}}, '{"ts": 1e999, "query": "a.example"}', '{"ts": NaN, "query": "a.example"}',
        '{"ts": 1' + "0" * 400 + ', "query": "a.example"}', ZEEK | {"answers": "192.0.2.1"}, ZEEK | {"qclass": 3}, ZEEK | {"id.resp_p": 5355},
        ZEEK | {"rcode": "odd"}, ZEEK | {"answers": [None, {}, "a..b", "192.0.2.9"]}, ZEEK | {"answers": None, "id": {"orig_h": []}},
    ))  # fmt: skip
    assert names(found) == ["www.example.org"] * 3
    assert report.answers_left_out == 3
    assert report.left_out == {BAD_ROW: 9, BAD_NAME: 2, BAD_TIME: 3, OTHER_CLASS: 1, OTHER_SERVICE: 1}


def test_answers_that_cannot_stand_in_a_message_are_counted(tmp_path: Path) -> None:
    """The row is used without them."""
    found, report = read(written(tmp_path, ZEEK | {"answers": ["a..b", "192.0.2.9"]}))
    assert answers(found[0][0]) == "A 192.0.2.9"
    assert report.answers_left_out == 1


def flat() -> dict[str, object]:
    """DNS-collector's `flat-json`."""
    row = {f"dns.{key}": value for key, value in DNS.items() if key != "resource-records"}
    row |= {f"dnstap.{key}": value for key, value in TAP.items()}
    for place, answer in enumerate(AN):
        row |= {f"dns.resource-records.an.{place}.{key}": value for key, value in answer.items()}
    return row


@pytest.mark.parametrize("row", [collected(), flat()], ids=["json", "flat-json"])
def test_dns_collector_is_read(tmp_path: Path, row: object) -> None:
    """Owners are as it says; types that are not followed are passed over."""
    found, report = read(written(tmp_path, row))
    assert [second for _, second in found] == [1_700_000_000]
    assert answers(found[0][0]) == "CNAME edge.example.net, A 192.0.2.1"
    assert (report.left_out, report.answers_left_out) == ({}, 0)


def test_lines_of_dns_collector_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    """Queries, broken packets, and values of other kinds."""
    found, report = read(written(
        tmp_path, collected(), collected(operation="CLIENT_QUERY"), collected(operation="AUTH_RESPONSE"), collected(operation=None),
        collected(DNS | {"malformed-packet": True}), collected(DNS | {"qname": "-"}), collected(DNS | {"rcode": "UNKNOWN"}),
        collected("text"), collected(DNS | {"resource-records": []}), collected(DNS | {"resource-records": {"an": {"a": 1}}}),
        collected(**{"timestamp-rfc3339ns": "yesterday"}), collected(**{"timestamp-rfc3339ns": "-"}),
        collected(DNS | {"resource-records": {"an": [7, {"rdatatype": "A", "rdata": "2001:db8::1", "name": "a"}, {"rdatatype": "AAAA", "name": [], "rdata": "::1"}]}}),
    ))  # fmt: skip
    assert names(found) == ["www.example.org"] * 4
    assert report.left_out == {NO_RESPONSE: 3, BROKEN_MESSAGE: 1, BAD_NAME: 1, BAD_ROW: 3, BAD_TIME: 1}
    assert report.answers_left_out == 3
