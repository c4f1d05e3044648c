"""Unix sockets that resolvers share with us by group."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final

# A resolver runs as another user.
_MODE: Final = 0o660


def listening(path: Path, kind: socket.SocketKind) -> socket.socket:
    """A bound socket that does not block; one that a dead process left is replaced, and nothing else.

    Raises:
        OSError: somebody listens there, it is no socket, or the folder cannot be written.
    """
    _remove_dead(path, kind)
    listener = socket.socket(socket.AF_UNIX, kind)
    try:
        listener.setblocking(False)  # noqa: FBT003 - its name says it
        listener.bind(str(path))
        path.chmod(_MODE)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_dead(path: Path, kind: socket.SocketKind) -> None:
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, kind) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise OSError(f"{path}: another process listens there")
