"""A wrong kind of file is named for what it is, with a command that makes of it what is read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import sqlite3
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from resolver.replay import foreign
from resolver.replay.report import UnusableLog
from resolver.replay.sniffing import Format, format_of
from tests.resolver.replay.captures import ONE, Pcapng, ipv4, names, pcap, read
from tests.resolver.replay.captures import datagram as udp_of
from tests.serving.server_process import REPOSITORY

LOG = "ts,query,qtype,rcode,answers\n1700000000,www.example.org,A,NOERROR,192.0.2.1\n"
ZONE = "$ORIGIN example.org.\n@ 60 IN SOA a b 1 1 1 1 1\n"


def zipped(name: str = "log.csv") -> bytes:
    """A zip archive with the log."""
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        archive.writestr(name, LOG)
    return octets.getvalue()


def tarred() -> bytes:
    """A tar archive with the log."""
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w") as archive:
        entry = tarfile.TarInfo("log.csv")
        entry.size = len(LOG)
        archive.addfile(entry, io.BytesIO(LOG.encode()))
    return octets.getvalue()


def database() -> bytes:
    """A table as that of Pi-hole's long-term database."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE queries (timestamp INTEGER, type INTEGER, domain TEXT)")
        connection.execute("INSERT INTO queries VALUES (1700000000, 1, 'www.example.org')")
        connection.commit()
        return connection.serialize()


# What it is, an example, and a tool without which its command cannot be tried; "" where it leads to no log by itself.
FILES = {
    "dnsmasq": ("a log of dnsmasq or Pi-hole", "Nov 14 22:13:20 dnsmasq[1]: query[A] www.example.org from 192.0.2.50\nNov 14 22:13:20 dnsmasq[1]: reply www.example.org is 192.0.2.1\n", "awk"),
    "pihole": ("a log of dnsmasq or Pi-hole", "Nov 14 22:13:20: query[type=65] www.example.org from 192.0.2.50\n", "awk"),
    "suricata": ("Suricata's eve.json", '{"timestamp": "2023-11-14T22:13:20.1+0000", "event_type": "dns", "dns": {"type": "answer", "rrname": "www.example.org", "rrtype": "A", "rcode": "NOERROR", "grouped": {"A": ["192.0.2.1"]}}}\n{"event_type": "flow"}\n', "jq"),
    "suricata 8": ("Suricata's eve.json", '{"event_type": "flow"}\n{"timestamp": "2023-11-14T22:13:20.1+0000", "event_type": "dns", "dns": {"version": 3, "type": "response", "rcode": "NOERROR", "queries": [{"rrname": "www.example.org", "rrtype": "A"}], "grouped": {"A": ["192.0.2.1"]}}}\n', "jq"),
    "bind": ("a query log of BIND", "14-Nov-2023 22:13:20.100 queries: info: client @0x7f1c 192.0.2.50#40000 (www.example.org): query: www.example.org IN A +E(0)K (192.0.2.53)\n", "awk"),
    "bind view": ("a query log of BIND", "Nov 14 22:13:20 ns named[1]: client @0x7f1c 192.0.2.50#40000 (www.example.org): view internal: query: www.example.org IN A + (192.0.2.53)\n", "awk"),
    "unbound": ("a log of Unbound", "[1700000000] unbound[123:0] info: 192.0.2.50 www.example.org. A IN\n", "awk"),
    "unbound replies": ("a log of Unbound", "Nov 14 22:13:20 ns unbound: [123:0] info: 192.0.2.50 www.example.org. A IN NOERROR 0.000000 0 50\n", "awk"),
    "powerdns": ("a log of PowerDNS Recursor", "Nov 14 22:13:20 ns pdns_recursor[7]: 3 [1/1] question for 'www.example.org|A' from 192.0.2.50\n", "awk"),
    "coredns": ("a log of CoreDNS", '[INFO] 192.0.2.50:40000 - 7 "A IN www.example.org. udp 41 false 1232" NOERROR qr,rd,ra 70 0.03s\n', "awk"),
    "windows": ("a debug log of Windows DNS", "11/14/2023 10:13:20 PM 0E54 PACKET  000000E5 UDP Snd 192.0.2.50      0007 R Q [8081   DR  NOERROR] A      (3)www(7)example(3)org(0)\n", "awk"),
    "tcpdump": ("packets printed by tcpdump", "22:13:20.100000 IP 192.0.2.53.53 > 192.0.2.50.40000: 7 1/0/0 A 192.0.2.1 (49)\n", ""),
    "tcpdump any": ("packets printed by tcpdump", "2023-11-14 22:13:20.100000 eth0  In  IP6 2001:db8::53.53 > 2001:db8::50.40000: 7 1/0/0 A 192.0.2.1 (49)\n", ""),
    "tshark": ("packets printed by tshark", "    1 0.000000000   192.0.2.53 → 192.0.2.50   DNS 91 Standard query response 0x0007 A www.example.org A 192.0.2.1\n", ""),
    "tshark json": ("packets printed by tshark", '[\n  {\n    "_index": "packets",\n    "_source": {}\n  }\n]\n', ""),
    "tshark ek": ("packets printed by tshark", '{"index":{"_index":"packets"}}\n{"timestamp":"1700000000100","layers":{"dns":{}}}\n', ""),
    "dnstap yaml": ("dnstap printed as text", "type: MESSAGE\nidentity: dns\n", ""),
    "dnstap quiet": ("dnstap printed as text", '22:13:20.100000 CR 192.0.2.50 UDP 49b "www.example.org." IN A\n', ""),
    "dnstap json": ("dnstap printed as JSON", '{"type":"MESSAGE","identity":"dns","message":{"type":"CLIENT_RESPONSE"}}\n', ""),
    "collector text": ("a log of DNS-collector as text", "2023-11-14T22:13:20.100000000Z dns CLIENT_RESPONSE NOERROR 192.0.2.50 40000 IPv4 UDP 49b www.example.org A 0.000000\n", ""),
    "adguard": ("a query log of AdGuard Home", '{"T":"2023-11-14T22:13:20.1+00:00","QH":"www.example.org","QT":"A","QC":"IN","CP":"","Answer":"AAc=","IP":"192.0.2.50"}\n', "jq"),
    "route 53": ("a query log of Amazon Route 53", '{"version":"1.1","query_timestamp":"2023-11-14T22:13:20Z","query_name":"www.example.org.","query_type":"A","rcode":"NOERROR","answers":[{"Rdata":"192.0.2.1","Type":"A","Class":"IN"}]}\n', "jq"),
    "array": ("a JSON array", '[{"ts": 1700000000, "query": "www.example.org", "qtype": 1, "rcode": 0, "answers": ["192.0.2.1"]}]', "jq"),
    "spread": ("JSON over several lines", '{\n  "ts": 1700000000,\n  "query": "www.example.org",\n  "qtype": 1\n}\n', "jq"),
    "passive dns": ("passive DNS, no query log", '{"rrname": "www.example.org", "rrtype": "A", "rdata": "192.0.2.1", "time_first": 1, "time_last": 2}\n', ""),
    "dnsdb": ("passive DNS of DNSDB", '{"cond": "begin"}\n', ""),
    "zeek rows": ("rows of a Zeek log without its header", "1700000000.100000\tCx1y2z3a4b5c6d7e8f\t192.0.2.50\t40000\t192.0.2.53\t53\n", ""),
    "csv rows": ("rows of a CSV without its header", LOG.split("\n", 1)[1], "cat"),
    "hosts": ("a hosts file", "# blocked\n0.0.0.0 www.example.org\n", "awk"),
    "names": ("a list of names", "www.example.org\nwww.example.org\n", "awk"),
    "zone": ("a zone file", ZONE, ""),
    "page": ("a page or document in HTML", "<!doctype html><html>", ""),
    "utf-16": ("text in UTF-16", LOG.encode("utf-16"), "iconv"),
    "utf-16 be": ("text in UTF-16", b"\xfe\xff" + LOG.encode("utf-16-be"), "iconv"),
    "utf-16 bare": ("text in UTF-16 without its mark", LOG.encode("utf-16-le"), "iconv"),
    "utf-16 bare be": ("text in UTF-16 without its mark", LOG.encode("utf-16-be"), "iconv"),
    "utf-32": ("text in UTF-32", LOG.encode("utf-32"), "iconv"),
    "old mac": ("text whose lines end in CR", LOG.replace("\n", "\r"), "tr"),
    "zstd": ("compressed by zstd", bytes.fromhex("28b52ffd") + b"0", ""),
    "xz": ("compressed by xz", lzma.compress(LOG.encode()), "xz"),
    "lzma": ("compressed by lzma", lzma.compress(LOG.encode(), lzma.FORMAT_ALONE), "xz"),
    "bzip2": ("compressed by bzip2", bz2.compress(LOG.encode()), "bzip2"),
    "lz4": ("compressed by lz4", bytes.fromhex("04224d18") + b"0", ""),
    "gzip twice": ("gzipped twice", gzip.compress(gzip.compress(LOG.encode())), "gzip"),
    "zip": ("a zip archive", zipped(), "unzip"),
    "xlsx": ("a spreadsheet", zipped("xl/worksheets/sheet1.xml"), ""),
    "tar": ("a tar archive", tarred(), ""),
    "tar.gz": ("a tar archive", gzip.compress(tarred()), ""),
    "parquet": ("Parquet", b"PAR1\x15\x04", ""),
    "sqlite": ("an SQLite database", database(), "sqlite3"),
    "snoop": ("a capture of snoop", b"snoop\0\0\0\0\0\0\2", ""),
    "journal": ("a systemd journal", b"LPKSHHRH\0\0", ""),
}  # fmt: skip


def refusal(path: Path) -> str:
    """Why a file is not read."""
    with pytest.raises(UnusableLog) as why:
        read(path)
    assert str(why.value).startswith(f"{path}: ")
    assert "\n" not in str(why.value)
    return str(why.value)


@pytest.mark.parametrize(("what", "content", "tool"), FILES.values(), ids=list(FILES))
def test_it_is_named_and_its_command_leads_to_what_is_read(
    tmp_path: Path, what: str, content: str | bytes, tool: str
) -> None:
    """The command is run as it is printed, and what it prints is read."""
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refusal(path)
    assert what in said
    command = said.split("; convert it: ", 1)[1]
    if not tool:
        return
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    feed, reader = command.rsplit(" | ", 1)
    assert reader == "python -m resolver.replay -"
    made = tmp_path / "made"
    with made.open("wb") as out:
        subprocess.run(["sh", "-c", feed], stdout=out, check=True)
    assert set(names(read(made)[0])) == {"www.example.org"}


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
def test_a_capture_of_another_link_is_read_through_tshark(tmp_path: Path) -> None:
    """By the command that is printed where a link type is not read: here BACnet's, and ours in place of it."""
    path, made = tmp_path / "file", tmp_path / "made"
    path.write_bytes(pcap(ipv4(udp_of(ONE)), link=165))
    assert "; convert it: (echo ts,query" in refusal(path)
    path.write_bytes(pcap(ipv4(udp_of(ONE)), link=101))
    feed = foreign.OTHER_CAPTURE.replace("FILE", str(path)).rsplit(" | ", 1)[0]
    with made.open("wb") as out:
        subprocess.run(["sh", "-c", feed], stdout=out, stderr=subprocess.DEVNULL, check=True)
    found, _ = read(made)
    assert names(found) == ["one.example.com"]
    assert found[0][1] == 200


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"\x00\x01\x02\xfe" * 9, "no format that is known: it begins with 00 01 02 fe"),
        (b"\x7fELF\x02\x01\x01\0", "no format that is known"),
        (b"a,b\n1,2\n", "no column answers, qtype, query, rcode, ts: the first line is 'a,b'"),
        (b'{"some": "thing"}\n', "JSON of a kind that is not known"),
        (b"\x1f\x8b", "ended before"),
        (b"\x1f\x8b\x08\0" + bytes(30), "rror"),
    ],
)
def test_what_nobody_knows_is_told_by_how_it_begins(tmp_path: Path, content: bytes, complaint: str) -> None:
    """With what was expected."""
    path = tmp_path / "file"
    path.write_bytes(content)
    assert complaint in refusal(path)


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A folder, and what is not there; names that no terminal should obey are printed escaped."""
    assert "a directory; name the files in it" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "nowhere")
    with pytest.raises(UnusableLog, match=r"\\xff: No such file"):
        read(Path("/nowhere/\udcff"))


def test_a_file_is_known_by_its_content_alone(tmp_path: Path) -> None:
    """Even if its first lines are none of its format."""
    path = tmp_path / "log.pcap"
    path.write_text(LOG)
    assert names(read(path)[0]) == ["www.example.org"]
    row = b'{"ts": 1, "query": "a.example"}\n'
    assert (
        format_of(b"garbage\n" + row)
        == format_of(b"{half\n" + row)
        == format_of(b'{"a": 1}\n' + row)
        == Format.ZEEK_JSON
    )
    long = b'{"dnstap": {}, "dns": {"extended": "' + b"x" * 70_000 + b'"}}'
    assert format_of(long[:65536]) == Format.DNS_COLLECTOR
    assert format_of(b"\0\0\n" + LOG.encode()) == Format.CSV
    assert format_of(Pcapng(">").octets) == Format.PCAPNG


def test_each_command_says_what_to_do_with_the_file() -> None:
    """FILE stands in every one, to be replaced by the file's name."""
    known = [*foreign.MAGICS.values(), *(found for _, found in (*foreign.LINES, *foreign.OBJECTS))]
    assert all("FILE" in found.command or "config.yml" in found.command for found in known)


def test_the_documentation_shows_these_commands_and_every_format() -> None:
    """As they are printed."""
    text = (REPOSITORY / "docs" / "resolvers.md").read_text()
    shown = text.split("```sh\n# a log of dnsmasq")[1].split("```")[0]
    known = {
        found.command
        for found in (*foreign.MAGICS.values(), *(found for _, found in (*foreign.LINES, *foreign.OBJECTS)))
    }
    commands = [line for line in shown.splitlines()[1:] if not line.startswith("#")]
    assert len(commands) == 6
    assert set(commands) <= known
    for kind in ("pcap", "pcapng", "dnstap file", "Zeek `dns.log`", "DNS-collector", "CSV"):
        assert f"\n| {kind} | " in text
