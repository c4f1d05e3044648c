"""Captures of Wireshark and tshark are read as they read them themselves."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_services.processes import HOST
from resolver.replay.packets import CUT, OTHER_LINK
from resolver.replay.pcapng import BROKEN_BLOCK
from resolver.replay.report import BAD_TIME, DAMAGED, NO_RESPONSE, UnusableLog
from tests.resolver.replay.captures import (
    IPV4,
    IPV6,
    ONE,
    TCP,
    TWO,
    Pcapng,
    datagram,
    ethernet,
    framed,
    ipv4,
    ipv6,
    pcap,
    read,
    segment,
    udp,
)

V4 = ipv4(datagram(TWO))
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")


def rich(order: str, client: int = 40000) -> bytes:
    """A section with interfaces of several links and clocks, all kinds of packets, and blocks of other kinds."""
    section = Pcapng(order)
    section.interface()
    section.interface(113, {9: b"\x09"})
    section.interface(101, {2: b"eth0", 9: b"\x8a", 14: struct.pack(order + "q", 1000)})
    section.interface(276, {9: b"\x00"})
    section.add(4, bytes(8)).add(0xBAD, b"whatever is in here..").packet(udp(ONE), 1_700_000_000_000_001)
    section.packet(bytes(14) + IPV4 + V4, 1_700_000_001_000_000_001, 1)
    section.packet(V4, (1_700_000_002 - 1000) << 10, 2).packet(IPV4 + bytes(18) + V4, 1_700_000_003, 3)
    section.packet(ethernet(ipv6(datagram(ONE)), IPV6), 1_700_000_004_000_000)
    section.packet(ethernet(ipv4(segment(framed(ONE), target=client), TCP)), 1_700_000_005_000_000)
    section.packet(ethernet(ipv4(datagram(TWO, 40000, 53))), 1_700_000_006_000_000)
    return section.old_packet(udp(TWO), 1_700_000_007_000_000).add(5, bytes(12)).octets


@pytest.mark.parametrize("order", ["<", ">"])
def test_interfaces_and_packets_of_every_kind_are_read(tmp_path: Path, order: str) -> None:
    """Each interface with its link type, resolution and offset of time; unknown blocks are passed over."""
    path = tmp_path / "dns.pcapng"
    path.write_bytes(rich(order))
    found, report = read(path)
    assert [wire for wire, _ in found] == [ONE, TWO, TWO, TWO, ONE, ONE, TWO]
    assert [second - 1_700_000_000 for _, second in found] == [0, 1, 2, 3, 4, 5, 7]
    assert report.left_out == {NO_RESPONSE: 1}


def test_sections_of_both_byte_orders_may_follow_one_another(tmp_path: Path) -> None:
    """Each begins with no interfaces: files put one behind another are one file."""
    path = tmp_path / "dns.pcapng"
    path.write_bytes(rich("<") + rich(">") + rich("<"))
    assert len(read(path)[0]) == 21
    path.write_bytes(rich("<") + Pcapng(">").packet(udp(ONE)).octets)
    found, report = read(path)
    assert len(found) == 7
    assert report.left_out[BROKEN_BLOCK] == 1


def test_simple_packets_are_of_the_first_interface_and_have_no_time(tmp_path: Path) -> None:
    """Cut at its snap length, whatever padding stands behind."""
    path = tmp_path / "dns.pcapng"
    section = Pcapng().interface(snap=len(udp(ONE))).interface(101)
    path.write_bytes(section.simple_packet(udp(ONE)).simple_packet(udp(ONE), 2000).octets)
    assert read(path)[0] == [(ONE, 0), (ONE, 0)]
    path.write_bytes(section.simple_packet(udp(ONE + bytes(90))[: len(udp(ONE))], 900).octets)
    assert read(path)[1].left_out == {CUT: 1}


def test_what_cannot_be_used_of_it_is_counted(tmp_path: Path) -> None:
    """Other links, times beyond the year 2106, interfaces that nobody declared, lengths that leave their block."""
    section = Pcapng().interface().interface(105).packet(udp(ONE)).packet(udp(ONE), interface=1)
    section.packet(udp(ONE), 1 << 63).packet(udp(ONE), interface=9).add(6, b"short")
    section.add(6, struct.pack("<IIIII", 0, 0, 0, 4000, 4000) + udp(ONE)).packet(udp(TWO))
    path = tmp_path / "dns.pcapng"
    path.write_bytes(section.octets)
    found, report = read(path)
    assert [wire for wire, _ in found] == [ONE, TWO]
    assert report.left_out == {OTHER_LINK: 1, BAD_TIME: 1, BROKEN_BLOCK: 3}


@pytest.mark.parametrize(
    ("end", "complaint"),
    [
        (Pcapng().interface().octets[:-3], "cut short"),
        (Pcapng().octets[:9], "no section with a byte order"),
        (struct.pack("<II", 6, 9), "a block of 9 octets"),
        (struct.pack("<III", 6, 12, 16), "two lengths differ"),
        (struct.pack("<II", 6, 1 << 31), "a block of 2147483636 octets"),
        (struct.pack("<II", 99, 1 << 31), "cut short"),
        (b"\x0a\x0d\x0d\x0a" + struct.pack("<II", 28, 0x12345678), "no section with a byte order"),
        (struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 2, 0, -1, 28), "another version"),
        (Pcapng().add(1, b"\1").octets, "without a link type"),
        (b"\1\2\3", "cut short"),
    ],
)  # fmt: skip
def test_what_is_damaged_ends_the_file_and_is_told(tmp_path: Path, end: bytes, complaint: str) -> None:
    """What came before is kept."""
    path = tmp_path / "dns.pcapng"
    path.write_bytes(Pcapng().interface().packet(udp(ONE)).octets + end)
    found, report = read(path)
    assert found == [(ONE, 200)]
    assert complaint in report.places[DAMAGED][0]


def test_a_capture_of_other_links_alone_is_refused_with_a_command(tmp_path: Path) -> None:
    """The link type is named."""
    path = tmp_path / "dns.pcapng"
    path.write_bytes(Pcapng().interface(105).packet(udp(ONE)).octets)
    with pytest.raises(UnusableLog, match=r"link type 105.*convert it: .*tshark -r"):
        read(path)


@needs_tshark
@pytest.mark.parametrize("order", ["<", ">"])
def test_tshark_sees_the_same_responses(tmp_path: Path, order: str) -> None:
    """Names and seconds, of a capture with several sections, links and clocks."""
    path = tmp_path / "dns.pcapng"
    path.write_bytes(rich(order) + rich("<", client=40001))
    assert told_by_tshark(path) == told_by_us(path)
    assert len(told_by_us(path)) == 14


@needs_tshark
@pytest.mark.parametrize("form", ["pcap", "nsecpcap", "modpcap", "pcapng"])
def test_what_editcap_writes_is_read(tmp_path: Path, form: str) -> None:
    """In every form that tcpdump and Wireshark have for the same packets."""
    source, path = tmp_path / "source", tmp_path / "file"
    source.write_bytes(pcap(udp(ONE), ethernet(ipv4(segment(framed(ONE, TWO)), TCP)), udp(TWO)))
    subprocess.run(["editcap", "-F", form, source, path], check=True, capture_output=True)
    assert [wire for wire, _ in read(path)[0]] == [ONE, ONE, TWO, TWO]


@needs_tshark
@pytest.mark.parametrize("interface", ["lo", "any"])
@pytest.mark.parametrize("form", [(), ("-P",)], ids=["pcapng", "pcap"])
def test_a_real_capture_is_read(tmp_path: Path, interface: str, form: tuple[str, ...]) -> None:
    """Of loopback as Ethernet, of all interfaces as Linux cooked; answers over IPv4 and IPv6."""
    path = tmp_path / "real"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
    ):
        try:
            server.bind((HOST, 53))
            six.bind(("::1", 53))
        except OSError as error:
            pytest.skip(f"port 53 of loopback: {error}")
        command = [
            "dumpcap",
            "-q",
            *form,
            "-i",
            interface,
            "-f",
            "udp src port 53 and dst port 40000",
            "-c",
            "2",
            "-w",
            str(path),
        ]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as capture:
            assert capture.stderr is not None
            # It captures once it says the name of its file.
            if not any(line.startswith("File:") for line in capture.stderr):
                pytest.skip("dumpcap may not capture here")
            drained = threading.Thread(target=capture.stderr.read)
            drained.start()
            server.sendto(ONE, (HOST, 40000))
            six.sendto(TWO, ("::1", 40000))
            try:
                capture.wait(30)
            finally:
                capture.kill()
                drained.join()
    found = read(path)[0]
    assert [wire for wire, _ in found] == [ONE, TWO]
    assert told_by_tshark(path) == told_by_us(path)


def told_by_tshark(path: Path) -> list[tuple[str, int]]:
    """Names and seconds as tshark decodes them."""
    fields = ["-e", "dns.qry.name", "-e", "frame.time_epoch"]
    command = [
        "tshark",
        "-r",
        str(path),
        "-Y",
        "dns.flags.response == 1 && (udp.srcport == 53 || tcp.srcport == 53)",
    ]
    run = subprocess.run([*command, "-T", "fields", *fields], check=True, capture_output=True, text=True)
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    return [(name, int(float(time))) for name, time in rows]


def told_by_us(path: Path) -> list[tuple[str, int]]:
    """The same, read here."""
    named = {ONE: "one.example.com", TWO: "two.example.com"}
    return [(named[wire], second) for wire, second in read(path)[0]]


@settings(max_examples=300)
@given(st.data())
def test_damaged_files_never_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any octets changed, cut or put in."""
    content = bytearray(rich("<") + rich(">"))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    path = tmp_path_factory.getbasetemp() / "damaged.pcapng"
    path.write_bytes(content)
    try:
        found, report = read(path)
    except UnusableLog:
        return
    assert len(found) == report.used
