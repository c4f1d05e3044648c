"""The sending half of a connection: frames joined into few writes, within the peer's windows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from serving.http2 import frames
from serving.http2.frames import (
    ACK,
    DEFAULT_FRAME_BYTES,
    DEFAULT_WINDOW,
    LARGEST_FRAME_BYTES,
    LARGEST_WINDOW,
    Code,
    ConnectionFault,
    Kind,
    Setting,
    StreamFault,
)
from serving.http2.stream import Stream

_WRITE_BUFFER_BYTES: Final = 1024 * 1024
# RFC 7541, 6.3: from here on the table has no room. It is never used here, but a peer that makes its own
# smaller must be told that we know (4.2).
_NO_TABLE: Final = b"\x20"


class Sender(asyncio.Protocol):
    """What leaves on a connection, and what the peer allows to leave."""

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        # Streams whose answer waits for the peer's windows.
        self.pending: dict[int, Stream] = {}
        self.window = DEFAULT_WINDOW
        self.peer_window = DEFAULT_WINDOW
        self.dead = False
        self.transport: Any = None
        self.loop = asyncio.get_running_loop()
        self._peer_frame = DEFAULT_FRAME_BYTES
        # What the next header block must begin with.
        self._table_update = b""
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._writable = True
        # Whether the peer asked for more than there is room for, and has to wait.
        self.held_back = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what the transport buffers."""
        self.transport = transport
        self.transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)

    def adopt(self, values: Sequence[tuple[int, int]]) -> None:
        """Follow the peer's SETTINGS, and say so.

        Raises:
            ConnectionFault: a value that RFC 9113 forbids.
        """
        for name, value in values:
            if name == Setting.INITIAL_WINDOW_SIZE:
                self._rewindow(value)
            elif name == Setting.HEADER_TABLE_SIZE:
                self._table_update = _NO_TABLE
            elif name == Setting.MAX_FRAME_SIZE:
                if not DEFAULT_FRAME_BYTES <= value <= LARGEST_FRAME_BYTES:
                    raise ConnectionFault(Code.PROTOCOL_ERROR, "an impossible frame size")
                self._peer_frame = value
            elif name == Setting.ENABLE_PUSH and value > 1:
                raise ConnectionFault(Code.PROTOCOL_ERROR, "an impossible setting")
        self.write(frames.frame(Kind.SETTINGS, ACK, 0))
        self._push_pending()

    def _rewindow(self, size: int) -> None:
        if size > LARGEST_WINDOW:
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "an impossible window")
        change, self.peer_window = size - self.peer_window, size
        for stream in self.streams.values():
            stream.window += change
            if stream.window > LARGEST_WINDOW:
                raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "an impossible window")

    def widen(self, number: int, increment: int) -> None:
        """The peer takes more, on a stream that is open or, as 0, on the connection.

        Raises:
            ConnectionFault, StreamFault: a window beyond 2^31 - 1.
        """
        if number == 0:
            self.window += increment
            if self.window > LARGEST_WINDOW:
                raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "an impossible window")
            self._push_pending()
            return
        stream = self.streams[number]
        stream.window += increment
        if stream.window > LARGEST_WINDOW:
            raise StreamFault(Code.FLOW_CONTROL_ERROR, "an impossible window")
        if number in self.pending:
            stream.push()

    def write(self, data: bytes) -> None:
        """Send frames at the end of this round of the loop, or when they are many, joined with others."""
        if not self._out:
            self.loop.call_soon(self.flush)
        self._out.append(data)
        self._out_bytes += len(data)
        # uvloop may read megabytes in one round; only the transport knows whether the peer reads.
        if self._out_bytes > _WRITE_BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        out, self._out, self._out_bytes = self._out, [], 0
        if out and not self.dead:
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))

    def pause_writing(self) -> None:
        """The peer does not read: answers wait, and so do its requests, whose refusals would pile up here."""
        self._writable = False
        self.read_or_wait()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._writable = True
        self.read_or_wait()
        self._push_pending()

    def read_or_wait(self) -> None:
        """Read from a peer that reads and that is not held back."""
        if self.transport.is_closing():
            return
        if self._writable and not self.held_back:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def sends_now(self, size: int) -> bool:
        """Whether a DATA frame of so many bytes may leave at once."""
        return (
            size <= self.window
            and size <= self._peer_frame
            and self._writable
            and not self.pending
            and not self._table_update
        )

    def header_block(self, block: bytes) -> bytes:
        """A header block as it may leave now."""
        update, self._table_update = self._table_update, b""
        return update + block

    def room(self) -> int:
        """How many bytes a DATA frame may have now."""
        return min(self.window, self._peer_frame) if self._writable else 0

    def _push_pending(self) -> None:
        for stream in tuple(self.pending.values()):
            if self.room() <= 0:
                return
            stream.push()
