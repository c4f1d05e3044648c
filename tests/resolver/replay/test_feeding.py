"""A sidecar is fed as a resolver does it; one that goes away is told in one line."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from resolver.dnstap import read_payload
from resolver.frame_streams import Receiver
from resolver.replay.feeding import SidecarGone, send
from tests.resolver.replay.captures import ONE, TWO

LOG = [(ONE, 1), (TWO, 2)]


@contextmanager
def listener(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Somebody who takes one connection."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def take() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                serve(connection)

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield
        finally:
            thread.join(20)


def test_every_response_arrives(tmp_path: Path) -> None:
    """And the sender waits until the other end says that it has read all."""
    receiver, read = Receiver(), []

    def serve(connection: socket.socket) -> None:
        while not receiver.finished:
            read.extend(read_payload(payload)[:2] for payload in receiver.feed(connection.recv(7)))
            connection.sendall(receiver.replies)
            receiver.replies.clear()

    with listener(tmp_path / "tap", serve):
        assert send(tmp_path / "tap", LOG) == 2
    assert read == LOG


def closed_at_once(_: socket.socket) -> None:
    """One that takes no more streams."""


def closed_after_start(connection: socket.socket) -> None:
    """One that dies while it is fed."""
    receiver = Receiver()
    list(receiver.feed(connection.recv(512)))
    connection.sendall(receiver.replies)
    connection.recv(1)


def closed_before_finish(connection: socket.socket) -> None:
    """One that dies before it has confirmed."""
    receiver = Receiver()
    list(receiver.feed(connection.recv(512)))
    connection.sendall(receiver.replies)
    receiver.replies.clear()
    while not receiver.finished:
        list(receiver.feed(connection.recv(512)))


def another_protocol(connection: socket.socket) -> None:
    """Somebody else's socket."""
    connection.recv(512)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("serve", "count", "complaint"),
    [
        (closed_at_once, 2, "after 0 responses"),
        (closed_after_start, 100_000, "(Broken pipe|reset by peer), after [0-9,]+ responses were sent"),
        (closed_before_finish, 2, "the sidecar ended the stream, after 2 responses"),
        (another_protocol, 2, "does not speak Frame Streams"),
    ],
)
def test_a_sidecar_that_goes_away_is_one_line(
    tmp_path: Path, serve: Callable[[socket.socket], None], count: int, complaint: str
) -> None:
    """Wherever it goes."""
    path = tmp_path / "tap"
    with listener(path, serve), pytest.raises(SidecarGone, match=complaint) as gone:
        send(path, [(ONE, 1)] * count)
    assert str(gone.value).startswith(f"{path}: ")
    assert "\n" not in str(gone.value)


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    """No socket, a file in its place, a path that no socket can have."""
    (tmp_path / "file").write_text("")
    for path, complaint in (
        ("nowhere", "No such file"),
        ("file", "Connection refused"),
        ("x" * 200, "too long"),
    ):
        with pytest.raises(SidecarGone, match=complaint):
            send(tmp_path / path, LOG)
