"""The zone on its way out: changes are read back, kept on disk, served, and told; nothing is decided here."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

import dns.name

from resolver.places import host_and_port
from resolver.policy import BLOCK
from resolver.rpz.journal import Journal
from resolver.rpz.keys import read_key
from resolver.rpz.notify import Notifier
from resolver.rpz.primary import Primary
from resolver.rpz.records import Records
from resolver.rpz.rules import NXDOMAIN, PASSTHRU, Rule, passing, why_no_rule
from resolver.rpz.zone import FOREVER, Change
from resolver.settings import Settings
from resolver.wire_names import from_text

_log = logging.getLogger(__name__)
_ZONE_TTL_S: Final = 60
# A disk that refused is asked again after this long.
_DISK_PAUSE_S: Final = 5.0


class Publisher:
    """The zone, its journal, its primary, and the resolvers that are told of it."""

    def __init__(self, settings: Settings) -> None:
        """Read the journal and the key.

        Raises:
            UnusableKey, UnusableJournal: a file that cannot be used.
        """
        self._zone_name = from_text(settings.rpz_zone)
        self._target = NXDOMAIN if settings.mode == BLOCK else PASSTHRU
        self.kept_out: Counter[str] = Counter()
        """rules that were left out of the zone, by what speaks against them"""
        self.journal = Journal(settings.state_dir)
        self.zone = self.journal.load(settings.max_blocked, self._why_not_kept)
        key = read_key(settings.rpz_tsig_key_file) if settings.rpz_tsig_key_file else None
        origin = dns.name.from_text(settings.rpz_zone)
        self.primary = Primary(self.zone, Records(origin, _ZONE_TTL_S), key)
        self.notifiers = [
            Notifier(origin, *host_and_port(address), key, lambda: self.zone.serial)
            for address in settings.rpz_notify
        ]
        self._publishing = asyncio.Lock()
        self._serve_again_s = self._write_again_s = 0.0

    def _why_not_kept(self, rule: Rule) -> str:
        return why_no_rule(rule, self._zone_name, published=True)

    def put(self, name: bytes, expires_s: int) -> None:
        """Have a bad name in the zone until some second, if one of its kind may stand there."""
        rule = Rule(name, self._target)
        if why := why_no_rule(rule, self._zone_name):
            self.kept_out[why] += 1
        else:
            self.zone.put(rule, expires_s)

    def drop(self, name: bytes) -> None:
        """Have a name out of the zone."""
        self.zone.drop(Rule(name, self._target))

    def pin(self, names: Iterable[bytes]) -> None:
        """Have the operator's names pass, with all below them, whatever the zone says of their aliases."""
        self.zone.pin(rule for name in names for rule in passing(name, self._zone_name))

    def retain(self, names: Iterable[bytes]) -> None:
        """Of the names by scores keep these, with what is done about names now; the others go."""
        kept = set(names)
        for rule, expires_s in self.zone.to_come().items():
            if expires_s == FOREVER or (rule.owner in kept and rule.target == self._target):
                continue
            self.zone.drop(rule)
            if rule.owner in kept:
                self.put(rule.owner, expires_s)

    def names(self) -> list[bytes]:
        """The names that are in the zone by their scores."""
        return [rule.owner for rule, expires_s in self.zone.to_come().items() if expires_s != FOREVER]

    async def publish(self) -> None:
        """What has changed, as one change of the zone: kept, then served.

        Once begun it is finished, also when it is told to stop: nobody takes a serial that is not whole.
        """
        await asyncio.shield(self._publish_change())

    async def _publish_change(self) -> None:
        async with self._publishing:
            if self.zone.changed and time.monotonic() >= self._serve_again_s:
                await self._keep_and_serve(self.zone.begin())
            await self._tidy_journal()

    async def _keep_and_serve(self, change: Change) -> None:
        for rule in await asyncio.to_thread(self.primary.records.misread, list(change.added)):
            del change.added[rule]
            self.kept_out["misread"] += 1
        try:
            # Disks take their time, which questions have not.
            await asyncio.to_thread(self.journal.append, change)
        except OSError as error:
            _log.error("zone stays as it is: nothing can be kept on disk", extra={"reason": str(error)})
            self.zone.cancel(change)
            self._serve_again_s = await self._written_anew_or_later()
            return
        self.zone.finish(change)
        self.tell()

    async def _tidy_journal(self) -> None:
        if self.journal.overgrown(self.zone) and time.monotonic() >= self._write_again_s:
            self._write_again_s = await self._written_anew_or_later()

    async def _written_anew_or_later(self) -> float:
        """Write the journal anew; when to try the next time, on a monotonic clock."""
        try:
            await asyncio.to_thread(self.journal.rewrite, self.zone)
        except OSError as error:
            _log.error("journal not written anew", extra={"reason": str(error)})
            return time.monotonic() + _DISK_PAUSE_S
        return 0.0

    def tell(self) -> None:
        """Have the resolvers told of the present serial."""
        for notifier in self.notifiers:
            notifier.tell()
