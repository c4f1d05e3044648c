"""Logs of one JSON object a line: Zeek's dns.log, and DNS-collector's, nested and flat."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from resolver.observations import TYPE_NAMES
from resolver.replay.report import BAD_ROW, BROKEN_MESSAGE, NO_RESPONSE, LeftOut, Report, quoted
from resolver.replay.row_messages import UNSET, Datum, message, rcode_of, second_of, type_of
from resolver.replay.source import Source
from resolver.replay.zeek import USED_FIELDS, zeek_response

_MAX_ANSWERS: Final = 64
_MAX_SECOND: Final = 1 << 32
# As resolver.dnstap has them by number.
_RESPONSES: Final = frozenset({"RESOLVER_RESPONSE", "CLIENT_RESPONSE", "FORWARDER_RESPONSE", "STUB_RESPONSE"})
# Counted as an answer that cannot be used.
_NO_ANSWER: Final = {"name": "", "rdatatype": "A", "rdata": ""}
_AN: Final = "dns.resource-records.an"


def zeek_responses(source: Source, report: Report) -> Iterator[tuple[bytes, int]]:
    """Each object of Zeek's JSON as a response on the wire, and its second."""
    return _responses(source, report, _of_zeek)


def dns_collector_responses(source: Source, report: Report) -> Iterator[tuple[bytes, int]]:
    """Each response of DNS-collector's JSON on the wire, and its second."""
    return _responses(source, report, _of_dns_collector)


def object_in(line: str) -> dict[str, Any]:
    """The JSON object of a line.

    Raises:
        LeftOut: there is none.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LeftOut(BAD_ROW, f"no JSON: {str(error)[:60]}") from None
    if not isinstance(found, dict):
        raise LeftOut(BAD_ROW, f"no JSON object: {quoted(line)}")
    return found


def _responses(
    source: Source, report: Report, read: Callable[[dict[str, Any], Report], tuple[bytes, int]]
) -> Iterator[tuple[bytes, int]]:
    for number, line in source.lines(report):
        report.at(number)
        try:
            yield read(object_in(line), report)
        except LeftOut as why:
            report.leave_out(why.reason, why.detail)


def _of_zeek(row: dict[str, Any], report: Report) -> tuple[bytes, int]:
    answers = row.get("answers") or []
    if not isinstance(answers, list):
        raise LeftOut(BAD_ROW, f"answers {quoted(str(answers))}, expected a list")
    fields = {name: _text(row[name]) for name in USED_FIELDS if name in row}
    time = row.get("ts")
    # Zeek's JSON::TS_MILLIS; as seconds it would be after the year 2106.
    if isinstance(time, int | float) and time >= _MAX_SECOND:
        fields["ts"] = _text(time / 1000 if time < 1 << 60 else time)
    texts = [answer for answer in answers if isinstance(answer, str)]
    report.answers_left_out += len(answers) - len(texts)
    return zeek_response(fields, texts, report)


def _of_dns_collector(row: dict[str, Any], report: Report) -> tuple[bytes, int]:
    flat = row if "dns.qname" in row else _flat(row)
    if _text(flat.get("dnstap.operation")) not in _RESPONSES:
        raise LeftOut(NO_RESPONSE)
    if flat.get("dns.malformed-packet") is True:
        raise LeftOut(BROKEN_MESSAGE, "malformed-packet is true")
    time = _text(flat.get("dnstap.timestamp-rfc3339ns"))
    second = 0 if time in UNSET else second_of(time)
    query, qtype = _text(flat.get("dns.qname")), type_of(_text(flat.get("dns.qtype")))
    wire = message(query, qtype, rcode_of(_text(flat.get("dns.rcode"))), _answers(flat), report)
    return wire, second


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """The nested form as the flat one, as far as it is read."""
    dns, tap = _object(row, "dns"), _object(row, "dnstap")
    answers = _object(dns, "resource-records").get("an") or []
    if not isinstance(answers, list):
        raise LeftOut(BAD_ROW, f"an {quoted(str(answers))}, expected a list")
    flat = {f"dns.{key}": value for key, value in dns.items()}
    flat |= {f"dnstap.{key}": value for key, value in tap.items()}
    for place, answer in enumerate(answers[:_MAX_ANSWERS]):
        fields = answer if isinstance(answer, dict) else _NO_ANSWER
        flat |= {f"{_AN}.{place}.{key}": value for key, value in fields.items()}
    return flat


def _object(row: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = row.get(key) or {}
    if not isinstance(found, dict):
        raise LeftOut(BAD_ROW, f"{key} {quoted(str(found))}, expected an object")
    return found


def _answers(flat: Mapping[str, Any]) -> Iterator[Datum]:
    for place in range(_MAX_ANSWERS):
        if f"{_AN}.{place}.rdatatype" not in flat:
            return
        owner, kind, data = (
            _text(flat.get(f"{_AN}.{place}.{key}"), strict=False) for key in ("name", "rdatatype", "rdata")
        )
        if type_of(kind) in TYPE_NAMES:
            yield Datum(owner, type_of(kind), data)


def _text(value: object, *, strict: bool = True) -> str:
    """A value that may be text or a number; "" for null.

    Raises:
        LeftOut: another kind of value where the row depends on it.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        try:
            return repr(value)
        except ValueError:
            pass
    elif not strict:
        return ""
    raise LeftOut(BAD_ROW, f"a value {type(value).__name__}, expected text or a number")
