"""NOTIFY (RFC 1996): tells resolvers that there is a new serial, until they say that they heard."""

from __future__ import annotations

import asyncio
import logging
import socket
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
_MAX_ADDRESSES: Final = 4
# A resolver that is away asks by itself when it is back, or after the zone's refresh time.


@dataclass(slots=True)
class Notifier:
    """One resolver to tell; where it is named, its addresses are looked up each time, as they move."""

    origin: dns.name.Name
    host: str
    port: int
    key: dns.tsig.Key | None
    serial: Callable[[], int]
    sent: int = 0
    unheard: int = 0
    _addresses: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        """There is a new serial; several at a time are told once."""
        self._news.set()

    async def run(self) -> None:
        """Tell what there is to tell, until cancelled; whatever goes wrong is one who did not hear."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                reason = "" if await self._told() else "no answer"
            except Exception as error:  # noqa: BLE001 - nothing of a notify ends the watching
                reason = str(error) or repr(error)
            if not reason:
                self.sent += 1
                continue
            self.unheard += 1
            _log.warning(
                "notify was not heard", extra={"resolver": f"{self.host}:{self.port}", "reason": reason}
            )

    async def _told(self) -> bool:
        for _ in range(_TRIES):
            for address in await self._found():
                if await self._heard(address):
                    return True
            await asyncio.sleep(0 if self._news.is_set() else _PATIENCE_S)
        return False

    async def _found(self) -> list[str]:
        """The resolver's addresses now; those of before while names are not resolved.

        Raises:
            OSError: the name leads nowhere, and never did.
        """
        look_up = asyncio.get_running_loop().getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                found = await look_up
        except (OSError, UnicodeError, TimeoutError) as error:
            if not self._addresses:
                raise OSError(f"{self.host} is not resolved ({str(error) or 'no answer'})") from None
        else:
            addresses = dict.fromkeys(str(place[0]) for *_, place in found)
            self._addresses = list(addresses)[:_MAX_ADDRESSES]
        return self._addresses

    async def _heard(self, address: str) -> bool:
        try:
            await dns.asyncquery.udp(self._message(), address, _PATIENCE_S, self.port)
        except (dns.exception.DNSException, OSError):
            return False
        return True

    def _message(self) -> dns.message.Message:
        message = dns.message.make_query(self.origin, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        message.flags = message.flags & ~dns.flags.RD | dns.flags.AA
        if self.key is not None:
            message.use_tsig(self.key)
        return message
