from __future__ import annotations

import socket

from tests.serving.server_process import HOST, ServerProcess, running


def answer_to(server: ServerProcess, *sent: bytes) -> bytes:
    """The first bytes that come back, b"" when the connection is closed without a word."""
    with socket.create_connection((HOST, server.rest_port), timeout=5) as connection:
        try:
            for piece in sent:
                connection.sendall(piece)
            return connection.recv(4096)
        except ConnectionError:
            return b""


def test_endless_headers_are_refused(echo: ServerProcess) -> None:
    """Headers that do not end are refused at the limit, long before they fill the memory."""
    pieces = [b"GET /v2 HTTP/1.1\r\nhost: x\r\nx-filler: ", *[b"x" * 16_384] * 100]
    assert answer_to(echo, *pieces)[:12] in {b"HTTP/1.1 431", b""}
    assert echo.status_of("/v2") == 200


def test_what_is_no_http_is_refused(echo: ServerProcess) -> None:
    """Bytes that are no HTTP are answered 400 and the connection closed."""
    assert answer_to(echo, b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_half_a_request_holds_up_nobody(echo: ServerProcess) -> None:
    """A caller that announces a body and sends none is answered 504 at the deadline; others are served."""
    head = (
        b"POST /v2/models/echo/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n"
        b"x-request-timeout-ms: 200\r\n\r\n{"
    )
    assert answer_to(echo, head).startswith(b"HTTP/1.1 504")
    assert echo.status_of("/v2/health/ready") == 200


def test_slow_headers_are_refused() -> None:
    """A caller that dawdles over its headers is answered 408 and let go."""
    with running(("tests.serving.echo_service",), {"header_timeout_s": "0.2"}) as server:
        assert answer_to(server, b"GET /v2 HTTP/1.1\r\nhost:").startswith(b"HTTP/1.1 408")
