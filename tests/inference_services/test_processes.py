"""Ports for services that are started a moment later."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from inference_services.processes import ServiceFailed, free_ports
from tests.serving.server_process import HOST

CALLERS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_free_ports_are_free_and_none_that_callers_get() -> None:
    """Of nearly all there are, none is taken, over TCP or UDP, and none is one that a connection may come from."""
    stream, datagrams = free_ports(2)
    with socket.create_server((HOST, stream)), socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, datagrams))
        found = free_ports(20_000)
    assert len(set(found)) == 20_000
    assert not {stream, datagrams} & set(found)
    if CALLERS.exists():
        assert max(found) < int(CALLERS.read_text().split()[0])


def test_too_many_are_refused() -> None:
    """More than there are is an error, not fewer."""
    with pytest.raises(ServiceFailed, match="expected 30000 free ports from 10240 to 32767"):
        free_ports(30_000)
