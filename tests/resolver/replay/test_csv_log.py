"""CSV is read whatever a spreadsheet made of it; a row that cannot be used ends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.dns_message import read_response
from resolver.observations import answers_text
from resolver.replay.report import BAD_NAME, BAD_ROW, BAD_TIME, LONG_LINE, UnusableLog
from resolver.replay.source import MAX_LINE
from resolver.wire_names import to_text
from tests.resolver.replay.captures import names, read

HEADER = "ts,query,qtype,rcode,answers\n"
GOOD = '1700000000.5,www.example.org,A,NOERROR,"edge.example.net,192.0.2.1"\n'


def written(folder: Path, *parts: str | bytes) -> Path:
    """A log."""
    path = folder / "log.csv"
    path.write_bytes(b"".join(part if isinstance(part, bytes) else part.encode() for part in parts))
    return path


@pytest.mark.parametrize(
    "content",
    [
        HEADER + GOOD,
        "\ufeff" + HEADER + GOOD,
        (HEADER + GOOD).replace("\n", "\r\n"),
        (HEADER + GOOD).rstrip("\n"),
        "sep=;\nTS;Query;QType;RCode;Answers\n1700000000,5;www.example.org;A;NOERROR;edge.example.net,192.0.2.1\n",
        "ts\tquery\tqtype\trcode\tanswers\n1700000000\twww.example.org\tA\tNOERROR\tedge.example.net,192.0.2.1\n",
        '"ts", "query", "qtype", "rcode", "answers"\n"1.7E+09", "www.example.org", "A", "NOERROR", "edge.example.net, 192.0.2.1"\n',
        "# exported\n" + HEADER + GOOD,
        HEADER + "\n   \n" + GOOD + "\n\n",
        HEADER + '2023-11-14T22:13:20Z,www.example.org.,1,0,"edge.example.net.,192.0.2.1"\n',
        'id,ts,query,qtype,rcode,answers,ts\n7,1700000000,www.example.org,A,,"edge.example.net,192.0.2.1",x\n',
        HEADER.replace("\n", ",note\n") + GOOD.replace("\n", ',"two\nlines, and ""quotes"""\n'),
        HEADER + GOOD.replace("\n", ",,\n"),
    ],
)  # fmt: skip
def test_every_dialect_says_the_same(tmp_path: Path, content: str) -> None:
    """Marks, ends of lines, separators, quotes, columns in another order, notes over several lines, empty lines."""
    found, _ = read(written(tmp_path, content))
    assert [second for _, second in found] == [1_700_000_000]
    told = read_response(found[0][0])
    assert (to_text(told.name), told.qtype, told.rcode, answers_text(told.records)) == (
        "www.example.org",
        1,
        0,
        "CNAME edge.example.net, A 192.0.2.1",
    )


def test_rows_that_cannot_be_used_are_counted_with_their_lines(tmp_path: Path) -> None:
    """The rest is kept, also what stands behind a quote that is never closed."""
    path = written(
        tmp_path, HEADER, GOOD, "n/a,a.example,A,NOERROR,\n", "1,a.example\n", "1,a.example,A,NOERROR,192.0.2.1,192.0.2.2\n",
        GOOD, '1,"a.example,A,NOERROR,\n', GOOD, GOOD, "1,,A,NOERROR,\n", "1,a..b,A,NOERROR,\n", "1,a.example,A,WHAT,\n", HEADER, GOOD,
    )  # fmt: skip
    found, report = read(path)
    assert names(found) == ["www.example.org"] * 5
    assert report.left_out == {BAD_TIME: 1, BAD_ROW: 4, BAD_NAME: 2}
    assert report.places[BAD_TIME] == [
        f"{path}:3: ts 'n/a', expected seconds since 1970 or RFC 3339 with its zone"
    ]
    assert [place.split(":")[1] for place in report.places[BAD_ROW]] == ["4", "5", "7"]


@pytest.mark.parametrize(
    "ts",
    [
        "n/a",
        "-5",
        "inf",
        "nan",
        "1_7",
        "1e99",
        "4294967296",
        "2023-11-14 22:13:20",
        "1969-01-01T00:00:00Z",
        "٣",
        "1,7,0",
    ],
)
def test_what_is_no_time_is_bad_time(tmp_path: Path, ts: str) -> None:
    """Numbers that only Python takes, times without a zone, and times that no capture has."""
    found, report = read(written(tmp_path, HEADER, GOOD, f'"{ts}",a.example,A,NOERROR,\n'))
    assert len(found) == 1
    assert report.left_out == {BAD_TIME: 1}


@pytest.mark.parametrize("size", [131_073, 400_000])
def test_a_long_text_record_is_no_trouble(tmp_path: Path, size: int) -> None:
    """Beyond the limit that Python's csv has by itself."""
    found, report = read(written(tmp_path, HEADER, f'1,long.example,TXT,NOERROR,"{"x" * size}"\n', GOOD))
    assert names(found) == ["long.example", "www.example.org"]
    assert not report.left_out


def test_a_line_without_end_is_left_out_unheld(tmp_path: Path) -> None:
    """And what stands behind it is read."""
    for end in (b"\n" + GOOD.encode(), b""):
        found, report = read(written(tmp_path, HEADER, GOOD, b"x" * (3 * MAX_LINE), end))
        assert len(found) == 1 + bool(end)
        assert report.left_out == {LONG_LINE: 1}


def test_names_of_any_octets_are_kept(tmp_path: Path) -> None:
    """Escapes, letters beyond ASCII, octets that are no UTF-8, and what dnspython takes for the root."""
    rows = (
        b"1,a\\.b.example,A,,\n",
        "1,bücher.example,A,,\n",
        b"1,\xfc.example,A,,\n",
        b"1,@,A,,\n",
        b"1,a\\x00b.example,A,,\n",
        b"1,_x*.example,A,,\n",
    )
    found, report = read(written(tmp_path, HEADER, *rows))
    assert names(found) == [
        "a\\046b.example",
        "xn--bcher-kva.example",
        "\\252.example",
        "\\064",
        "a\\000b.example",
        "_x\\042.example",
    ]
    assert not report.left_out


def test_types_and_codes_may_be_numbers_or_unknown(tmp_path: Path) -> None:
    """A type that nobody knows hides no name; aliases of other types are not followed."""
    rows = [
        f"1,{n}.example,{kind},3,x.example\n"
        for n, kind in enumerate(("HTTPS", "65", "TYPE65", "*", "-", "odd", "99999"))
    ]
    found, _ = read(written(tmp_path, HEADER, *rows))
    assert [read_response(wire)[2:4] for wire, _ in found] == [(3, ())] * 7


@pytest.mark.parametrize("header", ["ts,query,qtype,rcode\n", "ts,name,type,rcode,answers\n"])
def test_a_missing_column_is_named(tmp_path: Path, header: str) -> None:
    """With the line that has none."""
    with pytest.raises(UnusableLog, match=r"no column (answers|qtype, query); the first line is 'ts,"):
        read(written(tmp_path, header, GOOD))


JUNK = st.text(st.sampled_from(list("a1,\"'\\;\r\0\ufeffé \t#{}-")), max_size=30)


@settings(max_examples=300)
@given(st.lists(JUNK, max_size=12), st.integers(0, 12))
def test_no_row_takes_another_with_it(
    tmp_path_factory: pytest.TempPathFactory, junk: list[str], place: int
) -> None:
    """However its neighbours are quoted: a good row among any lines is used, once."""
    rows = [f"{line}\n" for line in junk]
    rows.insert(place, '1700000000,"good.example",A,NOERROR,"192.0.2.1"\n')
    found, report = read(written(tmp_path_factory.getbasetemp(), HEADER, GOOD, *rows))
    assert names(found).count("good.example") == 1
    assert report.read >= 2
