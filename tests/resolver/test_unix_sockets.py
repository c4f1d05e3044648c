"""A socket's path is taken over from the dead, and from nobody else."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from resolver.unix_sockets import listening

KINDS = pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["stream", "datagram"])


@KINDS
def test_a_dead_ones_path_is_taken_over(tmp_path: Path, kind: socket.SocketKind) -> None:
    """A closed socket leaves its path; the next one binds it, for its group only."""
    path = tmp_path / "a.sock"
    listening(path, kind).close()
    with listening(path, kind) as again:
        assert again.getsockname() == str(path)
        assert path.stat().st_mode & 0o777 == 0o660


@KINDS
def test_a_living_ones_path_is_left_alone(tmp_path: Path, kind: socket.SocketKind) -> None:
    """Whoever listens there goes on listening."""
    path = tmp_path / "a.sock"
    with listening(path, kind) as first:
        if kind == socket.SOCK_STREAM:
            first.listen()
        with pytest.raises(OSError, match="another process listens there"):
            listening(path, kind)
        with socket.socket(socket.AF_UNIX, kind) as client:
            client.connect(str(path))


@KINDS
def test_what_is_no_socket_is_not_removed(tmp_path: Path, kind: socket.SocketKind) -> None:
    """A path given by mistake costs nobody a file."""
    path = tmp_path / "precious.txt"
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        listening(path, kind)
    assert path.read_text() == "mine"
