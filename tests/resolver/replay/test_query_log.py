"""Files of every kind are read in bounded memory; no octets make them raise anything but their own error."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.dnstap import payload_of
from resolver.frame_streams import CONTENT_TYPE, START, STOP, control, frame
from resolver.replay.query_log import all_responses
from resolver.replay.report import BAD_TIME, DAMAGED, Report, UnusableLog
from resolver.replay.source import STDIN
from tests.resolver.replay.captures import (
    ONE,
    TWO,
    Pcapng,
    ethernet,
    framed,
    ipv4,
    names,
    pcap,
    read,
    segment,
    udp,
)
from tests.serving.server_process import REPOSITORY

CASES = Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "cases" / "query_logs"
CSV = "ts,query,qtype,rcode,answers\n" + '1,a.example,A,NOERROR,"b.example,192.0.2.1"\n' * 3
ZEEK = (
    "#separator \\x09\n#fields\tts\tquery\tqtype\trcode\tanswers\n"
    + "1\ta.example\t1\t0\tb.example,192.0.2.1\n" * 3
)
ZEEK_JSON = '{"ts": 1, "query": "a.example", "qtype": 1, "rcode": 0, "answers": ["192.0.2.1"]}\n' * 3
COLLECTOR = (
    '{"dns": {"qname": "a.example", "qtype": "A", "rcode": "NOERROR", "resource-records": {"an": [{"name": "a", '
    '"rdatatype": "A", "rdata": "192.0.2.1"}]}}, "dnstap": {"operation": "CLIENT_RESPONSE"}}\n'
)
VALID = (
    CSV.encode(), ZEEK.encode(), ZEEK_JSON.encode(), COLLECTOR.encode() * 2,
    pcap(udp(ONE), ethernet(ipv4(segment(framed(TWO)), 6))), pcap(udp(ONE), order=">", magic=0xA1B2CD34),
    Pcapng().interface().packet(udp(ONE)).old_packet(udp(TWO)).simple_packet(udp(ONE)).octets,
    control(START, CONTENT_TYPE) + frame(payload_of(ONE, 1)) + frame(payload_of(TWO, 1)) + control(STOP),
)  # fmt: skip


@pytest.mark.skipif(not CASES.exists(), reason="needs the shared cases (DNS_RISK_SHARED)")
@pytest.mark.parametrize(
    ("name", "used", "left_out"),
    [
        ("wireshark.pcapng", 1, {}), ("bom.csv", 3, {}), ("one_bad_ts_late.csv", 5, {BAD_TIME: 1}),
        ("zeek.log", 1, {}), ("zeek.json", 1, {}), ("dnscollector.json", 1, {}),
    ],
)  # fmt: skip
def test_what_users_have_is_read(name: str, used: int, left_out: dict[str, int]) -> None:
    """As their tools wrote it."""
    found, report = read(CASES / name)
    assert (len(found), report.left_out) == (used, left_out)
    assert names(found)[0] == "www.example.org"


@pytest.mark.skipif(not CASES.exists(), reason="needs the shared cases (DNS_RISK_SHARED)")
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("pihole.log", "a log of dnsmasq or Pi-hole"),
        ("suricata_eve.json", "Suricata's eve.json"),
        ("dnstap.fstrm", "a dnstap file of which nothing can be used: nothing is in it"),
    ],
)
def test_what_is_not_read_is_named(name: str, what: str) -> None:
    """For what it is."""
    with pytest.raises(UnusableLog, match=what):
        read(CASES / name)


@pytest.mark.parametrize("content", VALID)
def test_every_format_may_be_gzipped_or_cut_short(tmp_path: Path, content: bytes) -> None:
    """In one part or several; of a download that broke off, what is whole is kept and the end is told."""
    path = tmp_path / "file"
    path.write_bytes(content)
    plain = read(path)[0]
    path.write_bytes(gzip.compress(content[:40]) + gzip.compress(content[40:]))
    assert read(path)[0] == plain
    # Stored, so that what is cut off is the end of the content.
    path.write_bytes(gzip.compress(content, 0)[:-9])
    report = Report()
    found = list(all_responses([path], report))
    assert report.left_out[DAMAGED]
    assert found == plain[: len(found)]
    path.write_bytes(gzip.compress(content) + b"what is this?")
    found, report = read(path)
    assert (found, report.left_out) == (plain, {DAMAGED: 1})


def test_one_file_of_no_use_does_not_end_the_others(tmp_path: Path) -> None:
    """It is told; what the others hold is used."""
    good, bad, none = tmp_path / "good", tmp_path / "bad", tmp_path / "none"
    good.write_text(CSV)
    bad.write_bytes(b"\0\0\0")
    report = Report()
    assert len(list(all_responses([bad, good, none, good], report))) == 6
    assert [line.split(": ")[0] for line in report.refused] == [str(bad), str(none)]
    assert report.used == 6


def test_a_file_of_no_use_is_told_by_a_place_in_it(tmp_path: Path) -> None:
    """Also where others before it had enough of the same."""
    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        path.write_text("ts,query,qtype,rcode,answers\n" + "never,a.example,A,,\n" * 9)
    report = Report()
    assert not list(all_responses(paths, report))
    assert all(f"9 x bad time ({path}:2: " in line for path, line in zip(paths, report.refused, strict=True))


def test_what_is_taken_back_counts_against_its_file(tmp_path: Path) -> None:
    """A file whose messages are all broken is of no use, and says why."""
    path, report = tmp_path / "file", Report()
    path.write_bytes(pcap(udp(ONE), udp(TWO)))
    refused = [report.take_back("broken", "circle") for _ in all_responses([path], report)]
    assert (len(refused), report.used) == (2, 0)
    assert f"2 x broken ({path}: packet 1: circle)" in report.refused[0]


@pytest.mark.parametrize("content", VALID)
def test_a_pipe_is_read_as_a_file_is(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, from its beginning, however small the pieces that come; also as standard input."""
    path, pipe = tmp_path / "file", tmp_path / "pipe"
    path.write_bytes(content)
    os.mkfifo(pipe)

    def trickle() -> None:
        with pipe.open("wb", buffering=0) as out:
            for place in range(0, len(content), 7):
                out.write(content[place : place + 7])

    writer = threading.Thread(target=trickle)
    writer.start()
    found = read(pipe)[0]
    writer.join()
    assert found == read(path)[0]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert read(STDIN)[0] == found
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UnusableLog, match="-: standard input is closed"):
        read(STDIN)


PIECES = {
    "pcap": (pcap(udp(ONE)), pcap(udp(ONE))[24:]),
    "csv": (CSV.encode(), CSV.encode()),
    "junk": (CSV.encode(), b"\xff" * 60 + b"\n"),
    "quote": (CSV.encode(), b'1,"' + b"q" * 60 + b"\n"),
    "line": (CSV.encode(), b"x" * 64),
    "json": (ZEEK_JSON.encode(), b"{" + b"x" * 60 + b"\n"),
    "block": (Pcapng().interface().packet(udp(ONE)).octets, Pcapng().block(77, bytes(4000))),
    "frame": (control(START, CONTENT_TYPE) + frame(payload_of(ONE, 1)), frame(bytes(200_000))),
}
# In a process of its own: what checks types here would be measured as well.
MEASURED = """
import resource, sys
from pathlib import Path
from resolver.replay.query_log import responses
from resolver.replay.report import Report
for path in sys.argv[1:]:
    report = Report()
    print(sum(1 for _ in responses(Path(path), report)), report.used)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("kind", PIECES)
def test_memory_does_not_grow_with_the_file(tmp_path: Path, kind: str) -> None:
    """Neither with its packets and rows, nor with what cannot be used, nor with a line that never ends."""
    small, big = tmp_path / "small", tmp_path / "big"
    head, piece = PIECES[kind]
    size = (64 if kind in ("line", "block", "frame") else 4) << 20
    small.write_bytes(head + piece * (1 + (2 << 20) // len(piece)))
    with gzip.open(big, "wb", 1) as file:
        file.write(head)
        for _ in range(size >> 18):
            file.write(piece * (1 + (1 << 18) // len(piece)))
    command = [sys.executable, "-c", MEASURED, str(small), str(big)]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    _, before_kib, counts, after_kib = run.stdout.splitlines()
    assert len(set(counts.split())) == 1
    assert int(after_kib) - int(before_kib) < 3 << 10


@settings(max_examples=600)
@given(
    st.binary(max_size=300),
    st.sampled_from(
        [b"", *(content[:60] for content in VALID), b"\x1f\x8b\x08\0", b"{", b'{"dnstap":', b"#fields\t"]
    ),
)
def test_no_octets_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, octets: bytes, start: bytes
) -> None:
    """Read, or refused in one line."""
    check(tmp_path_factory.getbasetemp() / "octets", start + octets)


@settings(max_examples=600)
@given(st.data())
def test_damaged_files_never_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any octets of any format changed, cut, doubled or put in."""
    content = bytearray(data.draw(st.sampled_from(VALID)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content)))
        piece = data.draw(st.one_of(st.binary(max_size=3), st.just(bytes(content[place : place + 40]))))
        content[place : place + data.draw(st.integers(0, 3))] = piece
    packed = gzip.compress(content) if data.draw(st.booleans()) else bytes(content)
    check(tmp_path_factory.getbasetemp() / "damaged", packed[: data.draw(st.integers(0, len(packed)))])


def check(path: Path, content: bytes) -> None:
    """Everything is used, counted or refused; what is said is one line that can be printed."""
    path.write_bytes(content)
    report = Report()
    found = list(all_responses([path], report))
    assert len(found) == report.used
    assert bool(found) != bool(report.refused)
    assert all(line.isprintable() for line in report.refused)
    assert all(0 <= second < 1 << 32 for _, second in found)
    assert report.text().encode("ascii")
