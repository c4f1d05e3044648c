"""Query logs and captures are read; what is neither is refused."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

from load_tests.bench_resolver.sidecar_process import response
from resolver.dns_message import read_response
from resolver.observations import answers_text
from resolver.replay.query_log import UnusableLog, responses
from resolver.wire_names import to_text

LOG = """\
ts,client,query,qtype,rcode,answers,ttls
100.5,10.0.0.1,www.example.com,A,NOERROR,"edge.example.net,192.0.2.1,RRSIG 5 example.net","60,60"
101.0,10.0.0.1,gone.example.com,AAAA,NXDOMAIN,,
102.0,10.0.0.1,1.2.0.192.in-addr.arpa,PTR,NOERROR,host.example.com,60
103.0,10.0.0.1,odd.example.com,-,-,,
104.0,10.0.0.1,a..b,A,NOERROR,,
"""


def ethernet(payload: bytes, source_port: int = 53, tag: bytes = b"") -> bytes:
    """A UDP datagram in IPv4 in Ethernet."""
    udp = struct.pack("!HHHH", source_port, 5000, 8 + len(payload), 0) + payload
    ip = bytes([0x45, 0]) + struct.pack("!H", 20 + len(udp)) + bytes(5) + b"\x11" + bytes(10)
    return bytes(12) + tag + b"\x08\x00" + ip + udp


def capture(*packets: bytes, order: str = "<", link: int = 1) -> bytes:
    """A pcap file."""
    head = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack(order + "IIII", 200, 0, len(p), len(p)) + p for p in packets)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_log_becomes_the_answers_that_it_tells_of(tmp_path: Path, zipped: bool) -> None:
    """Names, codes and addresses; signatures and types that answer otherwise are left out, as is no name."""
    path = tmp_path / "log.csv"
    path.write_bytes(gzip.compress(LOG.encode()) if zipped else LOG.encode())
    read = [(read_response(wire), seconds) for wire, seconds in responses(path)]
    assert [(to_text(told.name), told.rcode, seconds) for told, seconds in read] == [
        ("www.example.com", 0, 100), ("gone.example.com", 3, 101), ("1.2.0.192.in-addr.arpa", 0, 102), ("odd.example.com", 0, 103),
    ]  # fmt: skip
    assert answers_text(read[0][0].records) == "CNAME edge.example.net, A 192.0.2.1"
    assert not any(told.records for told, _ in read[1:])


@pytest.mark.parametrize("order", ["<", ">"])
def test_responses_are_taken_out_of_a_capture(tmp_path: Path, order: str) -> None:
    """Those from port 53, with and without a VLAN tag; queries and other packets are passed over."""
    one, two = response("one.example.com"), response("two.example.com")
    packets = (
        ethernet(one),
        ethernet(one, source_port=5353),
        ethernet(two, tag=b"\x81\x00\x00\x07"),
        b"short",
    )
    path = tmp_path / "dns.pcap"
    path.write_bytes(capture(*packets, order=order))
    assert list(responses(path)) == [(one, 200), (two, 200)]


@pytest.mark.parametrize(("link", "octets"), [(0, 4), (101, 0), (113, 16), (276, 20)])
def test_captures_of_any_interface_are_read(tmp_path: Path, link: int, octets: int) -> None:
    """Loopback, raw IP, and both forms that `tcpdump -i any` writes."""
    one = response("one.example.com")
    path = tmp_path / "dns.pcap"
    path.write_bytes(capture(bytes(octets) + ethernet(one)[14:], link=link))
    assert list(responses(path)) == [(one, 200)]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a,b\n1,2\n", "no column answers, qtype, query, rcode, ts"),
        (capture(link=9), "link type 9"),
        (capture()[:10], "cut short"),
        (capture() + struct.pack("<IIII", 0, 0, 1 << 30, 0), "packet of 1073741824"),
        (gzip.compress(LOG.encode())[:-20], "end-of-stream"),
        (b"\xff\xfe", "utf-8"),
        (f"{LOG}103.0,a.example\n".encode(), "line 7 has too few columns"),
        (f"{LOG}yesterday,10.0.0.1,a.example,A,NOERROR,,\n".encode(), "line 7: ts 'yesterday'"),
        (f"{LOG}-5,10.0.0.1,a.example,A,NOERROR,,\n".encode(), "line 7: ts '-5'"),
        (f"{LOG}inf,10.0.0.1,a.example,A,NOERROR,,\n".encode(), "line 7: ts 'inf'"),
    ],
)
def test_what_is_neither_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    """With the file and what was expected."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UnusableLog, match=complaint):
        list(responses(path))
