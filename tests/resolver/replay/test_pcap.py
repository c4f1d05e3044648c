"""Captures of tcpdump are read in every form, to where they end."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from resolver.replay.packets import CUT
from resolver.replay.report import DAMAGED, NO_RESPONSE, UnusableLog
from tests.resolver.replay.captures import ONE, TWO, datagram, ethernet, ipv4, pcap, read, udp

QUERY = ethernet(ipv4(datagram(ONE, 40000, 53)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34])
def test_every_magic_number_is_known(tmp_path: Path, order: str, magic: int) -> None:
    """Of both byte orders: microseconds, nanoseconds, and records with more before each packet."""
    path = tmp_path / "dns.pcap"
    path.write_bytes(pcap(udp(ONE), QUERY, udp(TWO), order=order, magic=magic))
    found, report = read(path)
    assert found == [(ONE, 200), (TWO, 200)]
    assert (report.read, report.left_out) == (3, {NO_RESPONSE: 1})


def test_a_capture_may_end_in_a_packet(tmp_path: Path) -> None:
    """As those of a tcpdump that was killed do: what is whole is read, and the end is told."""
    whole, path = pcap(udp(ONE), udp(TWO)), tmp_path / "dns.pcap"
    for cut in range(1, len(udp(TWO)) + 16):
        path.write_bytes(whole[:-cut])
        found, report = read(path)
        assert found == [(ONE, 200)]
        assert report.left_out == {DAMAGED: 1}
        assert report.places[DAMAGED] == [f"{path}: packet 2: cut short"]


def test_a_length_that_no_packet_has_ends_the_file(tmp_path: Path) -> None:
    """Where the next packet begins is not known then; nothing of that length is asked of the memory."""
    path = tmp_path / "dns.pcap"
    path.write_bytes(pcap(udp(ONE)) + struct.pack("<IIII", 0, 0, 1 << 30, 0) + pcap(udp(TWO)))
    found, report = read(path)
    assert found == [(ONE, 200)]
    assert report.places[DAMAGED] == [f"{path}: packet 2: a packet of 1073741824 octets"]


def test_packets_cut_by_the_snap_length_are_counted(tmp_path: Path) -> None:
    """A short message fits; a longer one does not, and says where."""
    path = tmp_path / "dns.pcap"
    long = udp(ONE + bytes(400))
    path.write_bytes(pcap(long, udp(ONE), snap=120))
    found, report = read(path)
    assert found == [(ONE, 200)]
    assert report.places[CUT] == [f"{path}: packet 1: 120 octets are left of it"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (pcap()[:10], "cut short in its header"),
        (pcap(), "nothing is in it"),
        (pcap(link=105), "link type 105, which is not read; convert it: .*tshark -r"),
        (pcap(QUERY), "1 x query"),
        (pcap() + struct.pack("<IIII", 0, 0, 1 << 30, 0), "packet of 1073741824"),
    ],
)
def test_a_capture_of_no_use_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    """With the reason, and the command that reads another link type."""
    path = tmp_path / "dns.pcap"
    path.write_bytes(content)
    with pytest.raises(UnusableLog, match=complaint):
        read(path)
