"""Responses of a log to a running sidecar, as a resolver sends them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from resolver.dnstap import payload_of
from resolver.frame_streams import ACCEPT, CONTENT_TYPE, FINISH, READY, START, STOP, control, frame
from resolver.replay.report import shown

_PATIENCE_S: Final = 10.0
_MAX_CONTROL: Final = 512


class SidecarGone(Exception):
    """Nobody listens, or the stream ended too early; the message is one line."""


def send(path: Path, log: Iterable[tuple[bytes, int]]) -> int:
    """Send responses as dnstap; how many, once the sidecar has said that it read all.

    Raises:
        SidecarGone: nobody listens, or the stream ends or stands still for ten seconds.
    """
    sent = 0
    try:
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(_PATIENCE_S)
            stream.connect(str(path))
            stream.sendall(control(READY, CONTENT_TYPE))
            _expect(stream, ACCEPT)
            stream.sendall(control(START, CONTENT_TYPE))
            for wire, second in log:
                stream.sendall(frame(payload_of(wire, second)))
                sent += 1
            stream.sendall(control(STOP))
            _expect(stream, FINISH)
    except OSError as error:
        why = error.strerror or str(error)
        raise SidecarGone(f"{shown(path)}: {why}, after {sent:,} responses were sent") from None
    return sent


def _expect(stream: socket.socket, kind: int) -> None:
    """Wait for a control frame.

    Raises:
        ConnectionError: the stream ends, or something else comes.
    """
    head = struct.Struct("!III")
    said = b""
    while len(said) < head.size:
        more = stream.recv(_MAX_CONTROL)
        if not more:
            raise ConnectionError("the sidecar ended the stream")
        said += more
    escape, _, came = head.unpack_from(said)
    if escape or came != kind:
        raise ConnectionError("no sidecar: what listens there does not speak Frame Streams")
