"""NOTIFY (RFC 1996): tells resolvers that there is a new serial, until they say that they heard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.tsig

_log = logging.getLogger(__name__)
_TRIES: Final = 3
_PATIENCE_S: Final = 1.0
# A resolver that is away asks by itself when it is back, or after the zone's refresh time.


@dataclass(slots=True)
class Notifier:
    """One resolver to tell."""

    origin: dns.name.Name
    host: str
    port: int
    key: dns.tsig.Key | None
    serial: Callable[[], int]
    sent: int = 0
    unheard: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        """There is a new serial; several at a time are told once."""
        self._news.set()

    async def run(self) -> None:
        """Tell what there is to tell, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            if await self._told():
                self.sent += 1
            else:
                self.unheard += 1
                _log.warning("notify was not heard", extra={"resolver": f"{self.host}:{self.port}"})

    async def _told(self) -> bool:
        for _ in range(_TRIES):
            try:
                await dns.asyncquery.udp(self._message(), self.host, _PATIENCE_S, self.port)
            except (dns.exception.DNSException, OSError):
                await asyncio.sleep(0 if self._news.is_set() else _PATIENCE_S)
                continue
            return True
        return False

    def _message(self) -> dns.message.Message:
        message = dns.message.make_query(self.origin, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        message.flags = message.flags & ~dns.flags.RD | dns.flags.AA
        if self.key is not None:
            message.use_tsig(self.key)
        return message
