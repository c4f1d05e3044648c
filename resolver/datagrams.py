"""One question, one answer, each in a datagram: what a plugin inside a resolver asks.

    <id> <budget_ms> <qtype> <qname>                    question
    <id> S <score x 1000> <ttl_s> <action>/<category>   scored
    <id> U 0 0 <why>                                    unknown: not in time, or the transformer is away
    <id> E 0 0 <why>                                    no question that can be answered

U, E and silence mean the same to whoever asks: go on.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from resolver.unix_sockets import listening
from resolver.wire_names import NotAName, from_text

# Answered a little before the budget ends, so that the answer is there by then.
_EARLY_S: Final = 0.001
_MAX_DATAGRAM: Final = 2048
_QUESTION: Final = re.compile(
    rb"([A-Za-z0-9_-]{1,32}) ([0-9]{1,5}) ([A-Za-z0-9]{1,16}) ([\x21-\x7e]{1,1024})\n?"
)
_MAX_BUDGET_MS: Final = 10_000
MAX_WAITING: Final = 10_000


class Told(NamedTuple):
    """What is known of a name."""

    score: float
    ttl_s: int
    reason: str
    """`action/category`"""


@dataclass(slots=True, eq=False)
class Asked:
    """A question that waits for its score until its timer ends that."""

    transport: asyncio.DatagramTransport
    address: Any
    number: bytes
    timer: asyncio.TimerHandle = field(init=False)


Lookup = Callable[[bytes], "Told | str"]
"""Of a wire name: what is known, or why nothing will be in time, or "" after putting it in line."""


class Questions:
    """Answers at once what is known, within the budget what becomes known, and U otherwise."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._waiting: dict[bytes, list[Asked]] = {}
        self._count = 0
        self.counts: Counter[str] = Counter()
        """answers: scored, late, away, full, malformed"""
        self._transports: list[asyncio.DatagramTransport] = []
        self._paths: list[Path] = []

    async def listen(self, host: str, port: int) -> None:
        """Take questions over UDP.

        Raises:
            OSError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Socket(self), (host, port))
        self._transports.append(transport)

    async def listen_unix(self, path: Path) -> None:
        """Take questions on a unix datagram socket; whoever asks binds one of his own.

        Raises:
            OSError: somebody listens there, or the path cannot be bound.
        """
        listener = await asyncio.to_thread(listening, path, socket.SOCK_DGRAM)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Socket(self), sock=listener)
        self._transports.append(transport)
        self._paths.append(path)

    def close(self) -> None:
        """Take none any more; those that wait are told U."""
        for name in list(self._waiting):
            for asked in self._waiting.pop(name):
                asked.timer.cancel()
                self._unknown(asked.transport, asked.address, asked.number, "away")
        for transport in self._transports:
            transport.close()
        for path in self._paths:
            path.unlink(missing_ok=True)

    def ask(self, transport: asyncio.DatagramTransport, data: bytes, address: Any) -> None:
        """One datagram."""
        question = _QUESTION.fullmatch(data) if len(data) <= _MAX_DATAGRAM else None
        name = _name(question[4]) if question else None
        if question is None or name is None or not 0 < int(question[2]) <= _MAX_BUDGET_MS:
            self.counts["malformed"] += 1
            number = question[1] if question else b"-"
            transport.sendto(number + b" E 0 0 malformed", address)
            return
        found = self._lookup(name)
        if isinstance(found, Told):
            self._scored(transport, address, question[1], found)
        elif found or self._count >= MAX_WAITING:
            self._unknown(transport, address, question[1], found or "full")
        else:
            self._wait(transport, address, question[1], name, int(question[2]) / 1000 - _EARLY_S)

    def _wait(
        self, transport: asyncio.DatagramTransport, address: Any, number: bytes, name: bytes, budget_s: float
    ) -> None:
        asked = Asked(transport, address, number)
        asked.timer = asyncio.get_running_loop().call_later(max(0.0, budget_s), self._late, name, asked)
        self._waiting.setdefault(name, []).append(asked)
        self._count += 1

    def _late(self, name: bytes, asked: Asked) -> None:
        """The budget of a question is over."""
        waiting = self._waiting[name]
        waiting.remove(asked)
        if not waiting:
            del self._waiting[name]
        self._count -= 1
        self._unknown(asked.transport, asked.address, asked.number, "late")

    def scored(self, name: bytes, told: Told) -> None:
        """A score has come: whoever waits for it is told."""
        for asked in self._waiting.pop(name, ()):
            asked.timer.cancel()
            self._count -= 1
            self._scored(asked.transport, asked.address, asked.number, told)

    def _scored(self, transport: asyncio.DatagramTransport, address: Any, number: bytes, told: Told) -> None:
        self.counts["scored"] += 1
        text = f" S {round(1000 * told.score)} {told.ttl_s} {told.reason}"
        transport.sendto(number + text.encode(), address)

    def _unknown(self, transport: asyncio.DatagramTransport, address: Any, number: bytes, why: str) -> None:
        self.counts[why] += 1
        transport.sendto(number + b" U 0 0 " + why.encode(), address)


def _name(text: bytes) -> bytes | None:
    try:
        return from_text(text.decode("ascii"))
    except NotAName:
        return None


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: Any) -> None:
        # A unix socket without a name of its own cannot be answered.
        if address:
            self._questions.ask(self._transport, data, address)
