"""The sidecar: parts joined, nothing decided here."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import dns.name

from resolver.allowlist import POPULAR, Allowlist, read_allowlist
from resolver.datagrams import Questions, Told
from resolver.importing import import_files
from resolver.observations import Observation, answers_text
from resolver.passive_dns import Feed
from resolver.pending import Pending
from resolver.policy import BLOCK, Policy
from resolver.rpz.journal import Journal
from resolver.rpz.keys import read_key
from resolver.rpz.notify import Notifier
from resolver.rpz.primary import Primary
from resolver.rpz.records import NXDOMAIN, PASSTHRU, Records
from resolver.rpz.zone import Change
from resolver.score_cache import ScoreCache, Scored
from resolver.scorer import Scorer
from resolver.settings import Settings, host_and_port
from resolver.tap import Tap

_log = logging.getLogger(__name__)
_ZONE_TTL_S: Final = 60
_PUBLISH_EVERY_S: Final = 0.1
_HOUSEKEEP_EVERY_S: Final = 1.0
_MAX_FEED_RECORDS: Final = 500_000
# Names of addresses, which no lexical score means anything for.
_REVERSE: Final = (".in-addr.arpa", ".ip6.arpa")


class Sidecar:
    """All parts of one process; see the package for what it is for."""

    def __init__(self, settings: Settings) -> None:
        """Read lists, keys and the journal.

        Raises:
            UnusableList, UnusableKey, UnusableJournal: a file that cannot be used.
        """
        self.settings = settings
        self.policy = Policy(
            settings.mode, _allowlist(settings), settings.block_threshold, settings.monitor_threshold
        )
        self.names: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.imports: Counter[str] = Counter()
        self.cache = ScoreCache(settings.cache_names, float(settings.cache_ttl_s))
        self.pending = Pending(settings.max_pending)
        self.scorer = Scorer(
            settings.transformer, settings.transformer_ca_file, settings.deadline_ms / 1000, self.pending,
            self.on_scored,
        )  # fmt: skip
        self.tap = Tap(self.on_observations)
        self.questions = Questions(self.lookup)
        self._publishing = asyncio.Lock()
        self.journal = Journal(settings.state_dir)
        self.zone = self.journal.load(settings.max_blocked)
        key = read_key(settings.rpz_tsig_key_file) if settings.rpz_tsig_key_file else None
        origin = dns.name.from_text(settings.rpz_zone)
        target = NXDOMAIN if settings.mode == BLOCK else PASSTHRU
        self.primary = Primary(self.zone, Records(origin, _ZONE_TTL_S, target), key)
        self.notifiers = [
            Notifier(origin, *host_and_port(address), key, lambda: self.zone.serial)
            for address in settings.rpz_notify
        ]
        self.feed = _feed(settings)
        self._tell_of_mode()

    def _tell_of_mode(self) -> None:
        """Names of a run in another mode, or that are on the list by now, are none of this one."""
        for name in list(self.zone.names):
            if not self.policy.published or self.policy.allowlist.covers(name):
                self.zone.drop(name)

    def reload(self) -> None:
        """Read the allowlist again; a list that cannot be used leaves the one before."""
        try:
            self.policy = replace(self.policy, allowlist=_allowlist(self.settings))
        except Exception as refusal:  # noqa: BLE001 - whatever is wrong with a list, resolvers go on with the old one
            _log.error("allowlist not read again", extra={"reason": str(refusal)})
            return
        self._tell_of_mode()
        _log.info("allowlist read again", extra={"names": len(self.policy.allowlist)})

    def on_observations(self, observations: list[Observation]) -> None:
        """Resolvers have answered: feed the graph, and put in line what has no score yet."""
        now_s = time.monotonic()
        if self.feed is not None:
            self.feed.add(observations, int(time.time()))
        for observation in observations:
            name = observation.name
            if not name or name.endswith(_REVERSE):
                self.names["reverse"] += 1
            elif self.cache.get(name, now_s) is not None:
                self.names["cached"] += 1
            elif self.policy.allowlist.covers(name):
                self.names["listed"] += 1
            elif self.pending.offer(name, answers_text(observation.records)):
                self.names["queued"] += 1
        if len(self.pending):
            self.scorer.wake()

    def lookup(self, name: str) -> Told | str:
        """What is known of a name; "" after putting it in line, else why it is not."""
        now_s = time.monotonic()
        found = self.cache.get(name, now_s)
        if found is not None:
            return self._told(name, *found)
        if self.policy.allowlist.covers(name):
            return Told(0.0, self.settings.cache_ttl_s, "allow/listed")
        if not self.pending.offer(name, "", awaited=True):
            return "full"
        self.scorer.wake()
        return "" if self.scorer.breaker.closed else "away"

    def _told(self, name: str, scored: Scored, ttl_s: int) -> Told:
        verdict = self.policy.verdict(name, scored)
        return Told(scored.score, ttl_s, f"{self.policy.told(verdict)}/{verdict.reason}")

    def on_scored(self, scores: Mapping[str, Scored]) -> None:
        """Scores have come: remember them, tell who waits, and have the zone follow."""
        now_s, expires_s = time.monotonic(), int(time.time()) + self.settings.block_ttl_s
        for name, scored in scores.items():
            self.cache.put(name, scored, now_s)
            self.questions.scored(name, self._told(name, scored, self.settings.cache_ttl_s))
            verdict = self.policy.verdict(name, scored)
            self.verdicts[verdict.action] += 1
            if verdict.action != BLOCK:
                self.zone.drop(name)
            elif self.policy.published and self.primary.records.fits(name):
                self.zone.put(name, expires_s)

    async def run(self) -> None:
        """Everything that goes on by itself, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.scorer.run())
            group.create_task(self._publish())
            group.create_task(self._housekeep())
            for notifier in self.notifiers:
                group.create_task(notifier.run())
            if self.feed is not None:
                group.create_task(self._rotate(self.feed))

    async def _publish(self) -> None:
        """Give changes a serial once they are on disk, and tell resolvers."""
        for notifier in self.notifiers:
            notifier.tell()
        while True:
            await asyncio.sleep(_PUBLISH_EVERY_S)
            await self.publish()

    async def publish(self) -> None:
        """What has changed, as one change of the zone: kept, then served.

        Once begun it is finished, also when it is told to stop: nobody takes a serial that is not whole.
        """
        await asyncio.shield(self._publish_change())

    async def _publish_change(self) -> None:
        async with self._publishing:
            if self.zone.changed:
                await self._keep_and_serve(self.zone.begin())

    async def _keep_and_serve(self, change: Change) -> None:
        try:
            # Disks take their time, which questions have not.
            await asyncio.to_thread(self.journal.append, change)
        except OSError as error:
            # Serials are seconds at least after a loss, so resolvers go on; say that they are not kept.
            _log.error("zone not kept on disk", extra={"reason": str(error)})
        self.zone.finish(change)
        await self._tidy_journal()
        for notifier in self.notifiers:
            notifier.tell()

    async def _tidy_journal(self) -> None:
        if not self.journal.overgrown(self.zone):
            return
        try:
            await asyncio.to_thread(self.journal.rewrite, self.zone)
        except OSError as error:
            _log.error("journal not written anew", extra={"reason": str(error)})

    async def _housekeep(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEP_EVERY_S)
            self.cache.drop_expired(time.monotonic())
            self.zone.drop_expired(time.time())

    async def _rotate(self, feed: Feed) -> None:
        while True:
            await asyncio.sleep(self.settings.passive_dns_rotate_s)
            await self.rotate(feed)

    async def rotate(self, feed: Feed) -> None:
        """Write what was gathered, and import what is kept."""
        try:
            path = await asyncio.to_thread(feed.write, feed.take(), time.time())
        except OSError as error:
            _log.error("passive DNS not written", extra={"reason": str(error)})
            return
        store = self.settings.graph_store
        if path is not None and store is not None:
            self.imports["ok" if await import_files(feed.files(), store) else "failed"] += 1

    def health(self) -> tuple[bool, dict[str, object]]:
        """Always well while it runs: without a transformer it does what it can; details say so."""
        return True, {
            "transformer": "up" if self.scorer.breaker.closed else "left alone",
            "mode": self.settings.mode,
            "zone_serial": self.zone.serial,
            "zone_names": len(self.zone.names),
        }


def _allowlist(settings: Settings) -> Allowlist:
    paths = [POPULAR] if settings.popular_domains else []
    return read_allowlist(*paths, *([settings.allowlist_file] if settings.allowlist_file else []))


def _feed(settings: Settings) -> Feed | None:
    if settings.passive_dns_dir is None:
        return None
    return Feed(settings.passive_dns_dir, settings.passive_dns_keep_mb << 20, _MAX_FEED_RECORDS)
