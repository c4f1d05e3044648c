"""The dnstap socket: several resolvers send what they answered; they are sent a handshake, nothing else."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from resolver.dns_message import BrokenMessage, read_name, read_response
from resolver.dnstap import BrokenPayload, read_payload
from resolver.frame_streams import BrokenStream, Receiver
from resolver.observations import Observation
from resolver.unix_sockets import listening

_log = logging.getLogger(__name__)
MAX_STREAMS: Final = 64

OnObservations = Callable[[list[Observation]], None]


class Tap:
    """Reads frame streams; what is broken is counted by reason and read past."""

    def __init__(self, on_observations: OnObservations) -> None:
        self.on_observations = on_observations
        self.counts: Counter[str] = Counter()
        """frames by what became of them: `read`, `other_event`, `broken_payload`, `broken_message`; and
        `broken_record`, of frames that were read, and `broken_stream`"""
        self.streams: set[Stream] = set()
        self._server: asyncio.Server | None = None
        self._path: Path | None = None

    async def listen(self, path: Path) -> None:
        """Take connections on a unix socket; a socket that a dead process left is replaced.

        Raises:
            OSError: somebody listens there, or the folder cannot be written.
        """
        listener = await asyncio.to_thread(listening, path, socket.SOCK_STREAM)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self.stream, sock=listener)
        self._path = path

    def stream(self) -> Stream:
        """What reads one connection."""
        return Stream(self)

    async def close(self) -> None:
        """Stop, and remove the socket."""
        if self._server is not None:
            self._server.close()
            for stream in list(self.streams):
                stream.transport.close()
            await self._server.wait_closed()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


class Stream(asyncio.Protocol):
    """One resolver, or one thread of one."""

    transport: asyncio.Transport

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._receiver = Receiver()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        if len(self._tap.streams) >= MAX_STREAMS:
            _log.warning("dnstap stream refused", extra={"streams": MAX_STREAMS})
            self.transport.close()
            return
        self._tap.streams.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._tap.streams.discard(self)

    def data_received(self, data: bytes) -> None:
        observations: list[Observation] = []
        counts = self._tap.counts
        try:
            for payload in self._receiver.feed(data):
                _observe(payload, observations, counts)
        except BrokenStream as broken:
            counts["broken_stream"] += 1
            _log.warning("dnstap stream ended", extra={"reason": str(broken)})
            self.transport.close()
        if self._receiver.replies:
            self.transport.write(bytes(self._receiver.replies))
            self._receiver.replies.clear()
        if observations:
            self._tap.on_observations(observations)


def _observe(payload: bytes, observations: list[Observation], counts: Counter[str]) -> None:
    try:
        event = read_payload(payload)
        if event is None:
            counts["other_event"] += 1
            return
        response = read_response(event.response)
    except BrokenPayload:
        counts["broken_payload"] += 1
    except BrokenMessage:
        counts["broken_message"] += 1
    else:
        counts["read"] += 1
        name, qtype, rcode, records, broken = response
        if broken:
            counts["broken_record"] += broken
        zone = _zone(event.zone) if event.zone else None
        observations.append(Observation(name, qtype, rcode, event.time_s, records, event.upstream, zone))


def _zone(wire: bytes) -> bytes | None:
    try:
        return read_name(wire, 0)[0]
    except (BrokenMessage, IndexError):
        return None
