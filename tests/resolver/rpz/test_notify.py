"""Resolvers are told of a new serial wherever they are now, and nothing of that ends the telling."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import dns.message
import dns.name
import dns.opcode
import pytest

from inference_services.processes import free_ports
from resolver.rpz.notify import Notifier

ORIGIN = dns.name.from_text("rpz.risk")
HOST = "127.0.0.1"


class Listener(asyncio.DatagramProtocol):
    """A resolver that hears, or answers in a way of its own."""

    def __init__(self, answer: bytes | None = None) -> None:
        self.heard: list[dns.message.Message] = []
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.heard.append(dns.message.from_wire(data))
        answer = dns.message.make_response(self.heard[-1]).to_wire() if self._answer is None else self._answer
        self._transport.sendto(answer, address)


@contextmanager
def telling(host: str, port: int) -> Iterator[Notifier]:
    """A notifier at work."""
    notifier = Notifier(ORIGIN, host, port, None, lambda: 7)
    work = asyncio.create_task(notifier.run())
    notifier.tell()
    try:
        yield notifier
    finally:
        assert not work.done()
        work.cancel()


@asynccontextmanager
async def listening(host: str, port: int, answer: bytes | None = None) -> AsyncIterator[Listener]:
    """A listener at a place."""
    listener = Listener(answer)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: listener, (host, port))
    try:
        yield listener
    finally:
        transport.close()
        await asyncio.sleep(0)


@pytest.fixture
def port() -> int:
    """One that is free."""
    return free_ports(1)[0]


async def until(notifier: Notifier, sent: int, unheard: int) -> None:
    """Wait for so many outcomes."""
    async with asyncio.timeout(30):
        while (notifier.sent, notifier.unheard) != (sent, unheard):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_resolver_is_told_by_address_or_by_name(host: str, port: int) -> None:
    """Of the zone, as NOTIFY."""
    async with listening("127.0.0.1", port) as listener:
        with telling(host, port) as notifier:
            await until(notifier, 1, 0)
    assert {message.opcode() for message in listener.heard} == {dns.opcode.NOTIFY}
    assert listener.heard[0].question[0].name == ORIGIN


async def test_a_resolver_that_moves_is_told_where_it_is_now(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    """Its name is looked up each time; while it leads nowhere the address of before is told."""
    places = ["127.0.0.2"]

    async def look_up(_host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if not places:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (places[0], port))]

    async with listening("127.0.0.2", port) as before, listening("127.0.0.3", port) as after:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        with telling("resolver.house", port) as notifier:
            for turn, now in enumerate((["127.0.0.2"], ["127.0.0.3"], []), 1):
                places[:] = now
                notifier.tell()
                await until(notifier, turn, 0)
    assert (len(before.heard), len(after.heard)) == (1, 2)


@pytest.mark.parametrize(
    ("host", "answer"),
    [("nowhere.invalid", b"x"), ("127.0.0.1", b""), ("127.0.0.1", b"garbage"), ("256.1.1.1", b"x")],
)
async def test_who_does_not_hear_ends_nothing(
    host: str, answer: bytes, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A name that leads nowhere, answers that are none: one line each, and the next serial is told as well."""
    async with listening("127.0.0.1", port, answer):
        with telling(host, port) as notifier:
            await until(notifier, 0, 1)
            notifier.tell()
            await until(notifier, 0, 2)
    assert len([line for line in caplog.records if line.message == "notify was not heard"]) == 2
