from __future__ import annotations

import socket

import pytest

from inference_services.processes import free_ports
from serving.listening import rest_socket
from tests.serving.server_process import HOST, ServerProcess

ECHO = ("tests.serving.echo_service",)


@pytest.mark.parametrize(("place", "protocol"), [(0, "REST"), (1, "gRPC")])
def test_port_in_use_is_one_line(place: int, protocol: str) -> None:
    """A port that somebody else has is one line with port and setting, and no traceback."""
    with socket.create_server((HOST, 0)) as taken:
        ports = free_ports(2)
        ports[place] = taken.getsockname()[1]
        server = ServerProcess(ECHO, ports=(ports[0], ports[1]))
        try:
            assert server.wait() == 1
            assert server.log() == (
                f"cannot listen for {protocol} on {HOST} port {ports[place]}: address already in use; "
                f"set DNS_RISK_{protocol.upper()}_PORT (or DNS_RISK_HOST) to something free\n"
            )
        finally:
            server.stop()


def test_foreign_address_is_one_line() -> None:
    """An address that is not of this machine stops the start in the same way."""
    with pytest.raises(SystemExit, match=r"REST on 192\.0\.2\.1 port 1024: cannot assign"):
        rest_socket("192.0.2.1", 1024)


def test_ipv6_address_takes_both() -> None:
    """Listening on :: accepts IPv4 as well, for clusters of either kind."""
    port = free_ports(1)[0]
    with rest_socket("::", port), socket.create_connection((HOST, port), timeout=5):
        pass
