"""Zeek's dns.log is read as its own header lines say."""

from __future__ import annotations

from pathlib import Path

import pytest

from resolver.dns_message import read_response
from resolver.observations import answers_text
from resolver.replay.report import (
    BAD_NAME,
    BAD_ROW,
    BAD_TIME,
    OTHER_CLASS,
    OTHER_SERVICE,
    UnusableLog,
)
from tests.resolver.replay.captures import names, read

HEAD = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
FIELDS = "#fields\tts\tuid\tid.orig_p\tid.resp_p\tquery\tqclass\tqtype\tqtype_name\trcode\trcode_name\tanswers\tTTLs\n"


def row(
    query: str,
    answers: str = "-",
    *,
    ts: str = "1700000000.1",
    port: str = "53",
    qclass: str = "1",
    qtype: str = "1",
    rcode: str = "0",
) -> str:
    """A line."""
    return f"{ts}\tC1\t5353\t{port}\t{query}\t{qclass}\t{qtype}\tA\t{rcode}\tNOERROR\t{answers}\t-\n"


def written(folder: Path, *lines: str) -> Path:
    """A log."""
    path = folder / "dns.log"
    path.write_text("".join(lines))
    return path


def test_rows_become_responses(tmp_path: Path) -> None:
    """An alias and its address, no answer, an empty list, escapes, numbers of types; a client's port says nothing."""
    path = written(
        tmp_path, HEAD, FIELDS, row("www.example.org", "edge.example.net,192.0.2.1"), row("none.example.org"),
        row("empty.example.org", "(empty)", rcode="3"), row("\\xc3\\xbc\\x2d.example"), row("six.example", "2001:db8::1", qtype="28"),
        row("text.example", "TXT 9 192.0.2.1,192.0.2.9", qtype="16"), "#close\t2023-11-14-23-00-00\n",
    )  # fmt: skip
    found, report = read(path)
    seen = [read_response(wire) for wire, _ in found]
    assert names(found) == [
        "www.example.org",
        "none.example.org",
        "empty.example.org",
        "\\195\\188-.example",
        "six.example",
        "text.example",
    ]
    assert [answers_text(told.records) for told in seen] == [
        "CNAME edge.example.net, A 192.0.2.1",
        "",
        "",
        "",
        "AAAA 2001:db8::1",
        "",
    ]
    assert [told.rcode for told in seen] == [0, 0, 3, 0, 0, 0]
    assert {second for _, second in found} == {1_700_000_000}
    assert not report.left_out


def test_a_question_that_nobody_answered_counts(tmp_path: Path) -> None:
    """It was asked, and its name would have been blocked."""
    path = written(tmp_path, HEAD, FIELDS, row("lost.example", rcode="-").replace("NOERROR", "-"))
    assert names(read(path)[0]) == ["lost.example"]


def test_another_header_is_heeded_wherever_it_stands(tmp_path: Path) -> None:
    """Other separators and marks, and logs put one behind another whose columns differ."""
    second = "#separator ;\n#set_separator;|\n#empty_field;EMPTY\n#unset_field;NONE\n#fields;query;ts;answers;rcode;qtype_name\n"
    rows = "b.example;1700000001;192.0.2.1|192.0.2.2;NONE;A\nc.example;1700000001;EMPTY;NONE;A\n"
    found, report = read(written(tmp_path, HEAD, FIELDS, row("a.example"), second, rows))
    assert names(found) == ["a.example", "b.example", "c.example"]
    assert answers_text(read_response(found[1][0])[3]) == "A 192.0.2.1, A 192.0.2.2"
    assert not report.left_out


def test_rows_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    """Columns, times, names, classes, services that are no resolver's; each with its line."""
    path = written(
        tmp_path, HEAD, FIELDS, row("a.example"), "1\t2\n", row("a.example", ts="never"), row("-"), row("a..b"),
        row("version.bind", qclass="3"), row("printer.local", port="5353"), row("WORKGROUP", port="137"), row("b.example"),
    )  # fmt: skip
    found, report = read(path)
    assert names(found) == ["a.example", "b.example"]
    assert report.left_out == {BAD_ROW: 1, BAD_TIME: 1, BAD_NAME: 2, OTHER_CLASS: 1, OTHER_SERVICE: 2}
    assert report.places[BAD_ROW] == [f"{path}:8: 2 columns, expected 12"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            HEAD + "#fields\tts\tuid\tid.orig_h\n1\tC1\t192.0.2.1\n",
            "a Zeek log without query, expected its dns.log",
        ),
        (HEAD + FIELDS, "nothing is in it"),
        (HEAD + row("a.example"), "12 columns, expected 0"),
    ],
)
def test_a_log_of_no_use_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    """Another log of Zeek's is named."""
    with pytest.raises(UnusableLog, match=complaint):
        read(written(tmp_path, content))
