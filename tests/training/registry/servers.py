"""Servers on loopback that are no registry, each in its own way, and one that is and takes its time."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Handler = Callable[[socket.socket], None]


@contextmanager
def serving(handler: Handler, scheme: str = "http") -> Iterator[str]:
    """The address of a server that gives each connection to the handler; connections last as long as the block."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            with suppress(OSError):
                while True:
                    held.append(listener.accept()[0])
                    threading.Thread(target=_handle, args=(handler, held[-1]), daemon=True).start()

        threading.Thread(target=take, daemon=True).start()
        try:
            yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for connection in held:
                connection.close()


def _handle(handler: Handler, connection: socket.socket) -> None:
    with suppress(OSError):
        handler(connection)


def silent(_connection: socket.socket) -> None:
    """Takes the connection and says nothing."""


def closing(connection: socket.socket) -> None:
    """Hangs up."""
    connection.close()


def dripping(connection: socket.socket) -> None:
    """Sends headers for ever, a little now and then: no pause is long enough for a limit on one."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"x: y\r\n")
        threading.Event().wait(0.1)


def saying(*answers: bytes, before: Callable[[], object] = lambda: None) -> Handler:
    """Answers the requests of one after another with these, the last one again and again."""
    left = list(answers)

    def handle(connection: socket.socket) -> None:
        while connection.recv(65536):
            before()
            connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return handle


def http(status: int, kind: str, body: str, *more: str) -> bytes:
    """A whole answer."""
    head = [f"HTTP/1.1 {status} Said", f"content-type: {kind}", f"content-length: {len(body)}", *more]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def json(body: str, status: int = 200) -> bytes:
    """The same of JSON."""
    return http(status, "application/json", body)


UNTRACKED = json('{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not found"}', 404)


def certificate(folder: Path) -> ssl.SSLContext:
    """What a server with a certificate that nobody has signed needs."""
    key, signed = folder / "key.pem", folder / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run(
        [*command, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(signed)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed, key)
    return context


def over_tls(context: ssl.SSLContext, handler: Handler) -> Handler:
    """The handler behind TLS."""

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as safe:
            handler(safe)

    return handle
