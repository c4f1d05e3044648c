"""The hidden primary: SOA, AXFR and IXFR for those who may, over UDP and TCP."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.renderer
import dns.tsig
from dns.rdatatype import AXFR, IXFR, SOA

from resolver.rpz.records import Records, in_messages
from resolver.rpz.zone import Zone

_log = logging.getLogger(__name__)
_MAX_REQUEST: Final = 4096
_IDLE_S: Final = 10.0
_MAX_CONNECTIONS: Final = 32
_MAX_WIRE: Final = 65_535
_FUDGE_S: Final = 300

Keyring = dict[Any, Any]


@dataclass(slots=True)
class Primary:
    """Answers for one zone."""

    zone: Zone
    records: Records
    key: dns.tsig.Key | None = None
    """every request must be signed by it, where there is one"""
    counts: Counter[str] = field(default_factory=Counter)
    """requests by kind: soa, axfr, ixfr, refused, broken"""
    _servers: list[Any] = field(default_factory=list)
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def listen(self, host: str, port: int) -> None:
        """Take requests on both transports.

        Raises:
            OSError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, host, port)
        self._servers.append(server)
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (host, port))
        self._servers.append(transport)

    async def close(self) -> None:
        """Stop; transfers under way end."""
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= _MAX_CONNECTIONS:
            writer.close()
            return
        self._connections.add(task)
        try:
            # A peer that goes or says nothing for long misses no answer; at the end we cancel them all.
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(_IDLE_S):
                length = int.from_bytes(await reader.readexactly(2), "big")
                if length > _MAX_REQUEST:
                    return
                wire = await reader.readexactly(length)
            answered = False
            for message in self.answers(wire, stream=True):
                answered = True
                writer.write(len(message).to_bytes(2, "big") + message)
                async with asyncio.timeout(_IDLE_S):
                    await writer.drain()
                # Datagrams have budgets of milliseconds: let them in between messages.
                await asyncio.sleep(0)
            if not answered:
                # No request, or one whose signature is not right: let the peer know by the end of it.
                return

    def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
        """The messages that answer a request; none where it is not even a request."""
        try:
            request = dns.message.from_wire(wire, keyring=self._keyring())
        except dns.message.UnknownTSIGKey:
            yield from self._refused_unread(wire)
            return
        except (dns.exception.DNSException, dns.tsig.PeerError, ValueError):
            self.counts["broken"] += 1
            return
        if request.flags & dns.flags.QR:
            self.counts["broken"] += 1
        elif not self._may(request):
            self.counts["refused"] += 1
            yield self._refusal(request)
        else:
            yield from self._transfer(request, stream=stream)

    def _keyring(self) -> Keyring:
        return {} if self.key is None else {self.key.name: self.key}

    def _may(self, request: dns.message.Message) -> bool:
        signed = self.key is None or request.had_tsig
        asked = [(q.name, q.rdtype) for q in request.question]
        known = len(asked) == 1 and asked[0][0] == self.records.origin and asked[0][1] in (SOA, AXFR, IXFR)
        return signed and known and request.opcode() == dns.opcode.QUERY

    def _refusal(self, request: dns.message.Message) -> bytes:
        response = dns.message.make_response(request)
        response.set_rcode(dns.rcode.REFUSED)
        return response.to_wire()

    def _refused_unread(self, wire: bytes) -> Iterator[bytes]:
        """Refuse a request that is signed by a key which is not ours."""
        try:
            request = dns.message.from_wire(wire, continue_on_error=True, keyring=False)
            response = dns.message.make_response(request)
        except (dns.exception.DNSException, ValueError):
            self.counts["broken"] += 1
            return
        self.counts["refused"] += 1
        response.set_rcode(dns.rcode.NOTAUTH)
        yield response.to_wire()

    def _transfer(self, request: dns.message.Message, *, stream: bool) -> Iterator[bytes]:
        kind = request.question[0].rdtype
        self.counts[{SOA: "soa", AXFR: "axfr", IXFR: "ixfr"}[kind]] += 1
        serial = self.zone.serial
        if kind == SOA or not stream:
            # Over UDP the serial alone tells a resolver to come back over TCP (RFC 1995, section 4).
            records: Iterator[bytes] = iter([self.records.soa(serial)])
        elif kind == IXFR and (changes := self.zone.since(_serial_in(request))) is not None:
            records = self.records.difference(changes, serial)
        else:
            records = self.records.whole(self.zone)
        yield from _rendered(request, records, self.key if request.had_tsig else None)


def _serial_in(request: dns.message.Message) -> int:
    for rrset in request.authority:
        if rrset.rdtype == SOA:
            return int(rrset[0].serial)
    return -1


def _rendered(
    request: dns.message.Message, records: Iterator[bytes], key: dns.tsig.Key | None
) -> Iterator[bytes]:
    """Messages with a header, the question, some records, and a signature that spans them all."""
    context = None
    for section, count in in_messages(records):
        renderer = dns.renderer.Renderer(request.id, dns.flags.QR | dns.flags.AA, _MAX_WIRE)
        question = request.question[0]
        renderer.add_question(question.name, question.rdtype, question.rdclass)
        renderer.output.write(section)
        renderer.counts[dns.renderer.ANSWER] = count
        renderer.section = dns.renderer.ANSWER
        renderer.write_header()
        if key is not None:
            context = renderer.add_multi_tsig(
                context, key.name, key, _FUDGE_S, request.id, 0, b"", request.mac, key.algorithm
            )
        yield renderer.get_wire()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, primary: Primary) -> None:
        self._primary = primary

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: Any) -> None:
        for message in self._primary.answers(data, stream=False):
            self._transport.sendto(message, address)
