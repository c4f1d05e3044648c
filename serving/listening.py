"""Open the ports of a server, or end the start with one line that says which port and which setting."""

from __future__ import annotations

import socket
from typing import Any, Final

_BACKLOG: Final = 2048


def rest_socket(host: str, port: int) -> socket.socket:
    """A listening socket; "::" accepts IPv4 as well.

    Raises:
        SystemExit: the port is in use or the address is not of this machine.
    """
    return _listening("REST", host, port)


def grpc_socket(host: str, port: int) -> socket.socket:
    """A listening socket for the thin gRPC server; "::" accepts IPv4 as well.

    Raises:
        SystemExit: the port is in use or the address is not of this machine.
    """
    return _listening("gRPC", host, port)


def _listening(protocol: str, host: str, port: int) -> socket.socket:
    listener = _bound_socket(protocol, host, port)
    listener.listen(_BACKLOG)
    listener.settimeout(0.0)
    return listener


def _bound_socket(protocol: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SystemExit(_complaint(protocol, host, port, error.strerror or str(error))) from None
    return bound


def bind_grpc(server: Any, host: str, port: int) -> None:
    """Bind a grpc.aio server, without TLS: that is the mesh's or the gateway's.

    Raises:
        SystemExit: the port is in use or the address is not of this machine.
    """
    # gRPC's core would log its own complaint, in its own format, beside ours.
    _bound_socket("gRPC", host, port).close()
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if bound != port:
        raise SystemExit(_complaint("gRPC", host, port, "gRPC could not bind it"))


def _complaint(protocol: str, host: str, port: int, reason: str) -> str:
    return (
        f"cannot listen for {protocol} on {host} port {port}: {reason.lower()}; "
        f"set DNS_RISK_{protocol.upper()}_PORT (or DNS_RISK_HOST) to something free"
    )
