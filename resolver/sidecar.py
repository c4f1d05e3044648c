"""The sidecar: parts joined, nothing decided here."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping
from typing import Final

from resolver.allowlist import POPULAR, Allowlist, read_allowlist
from resolver.bailiwick import answers_about, believed
from resolver.datagrams import Questions, Told
from resolver.importing import import_files
from resolver.observations import Observation, answers_text
from resolver.passive_dns import Feed
from resolver.pending import Pending
from resolver.policy import ALLOW, BLOCK, Policy, Verdict
from resolver.public_names import REVERSE, is_local
from resolver.publisher import Publisher
from resolver.score_cache import ScoreCache, Scored
from resolver.scorer import Scorer
from resolver.settings import Settings
from resolver.shelter import Shelter
from resolver.tap import Tap
from resolver.upkeep import Upkeep
from resolver.wire_names import is_at_or_below

_log = logging.getLogger(__name__)
_PUBLISH_EVERY_S: Final = 0.1
_PUBLISH_BY_CLOCK_S: Final = 1.0
_HOUSEKEEP_EVERY_S: Final = 1.0
_MAX_FEED_RECORDS: Final = 500_000
_NOERROR: Final = 0


class Sidecar:
    """All parts of one process; see the package for what it is for."""

    def __init__(self, settings: Settings) -> None:
        """Read lists, keys and the journal.

        Raises:
            UnusableList, UnusableKey, UnusableJournal, OSError: a file that cannot be used.
        """
        self.settings = settings
        self.names: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        """records of answers that were left out, by why: unrelated, unusable"""
        self.verdicts: Counter[str] = Counter()
        self.imports: Counter[str] = Counter()
        self.upkeep = Upkeep()
        self.cache = ScoreCache(settings.cache_names, float(settings.cache_ttl_s))
        self.shelter = Shelter(float(settings.block_ttl_s))
        self.pending = Pending(settings.max_pending)
        self.scorer = Scorer(
            settings.transformer, settings.transformer_ca_file, settings.deadline_ms / 1000, self.pending,
            self.on_scored,
        )  # fmt: skip
        self.tap = Tap(self.on_observations)
        self.questions = Questions(self.lookup)
        self.publisher = Publisher(settings)
        self.feed = _feed(settings)
        self._listen_to_lists()

    def _listen_to_lists(self) -> None:
        """Read the lists; names of a run in another mode, or that are listed by now, are none of this one.

        Raises:
            UnusableList: a list that cannot be read; the one before stays.
        """
        settings, publisher = self.settings, self.publisher
        own = read_allowlist(settings.allowlist_file) if settings.allowlist_file else Allowlist()
        popular = read_allowlist(POPULAR) if settings.popular_domains else Allowlist()
        listed = Allowlist(own.names | popular.names)
        self.policy = Policy(settings.mode, listed, settings.block_threshold, settings.monitor_threshold)
        names = publisher.names() if self.policy.published else []
        publisher.retain(name for name in names if not listed.covers(name))
        # A listed name below another would be a node of the zone that its wildcard ends at (RFC 4592).
        publisher.pin(own.highest() if settings.mode == BLOCK else ())

    def reload(self) -> None:
        """Read the allowlist again; a list that cannot be used leaves the one before."""
        try:
            self._listen_to_lists()
        except Exception as refusal:  # noqa: BLE001 - whatever is wrong with a list, resolvers go on with the old one
            _log.error("allowlist not read again", extra={"reason": str(refusal)})
            return
        _log.info("allowlist read again", extra={"names": len(self.policy.allowlist)})

    def on_observations(self, observations: list[Observation]) -> None:
        """Resolvers have answered: feed the graph, and put in line what has no score yet."""
        now_s = time.monotonic()
        for observation in observations:
            outcome = self._observed(observation, now_s)
            if outcome:
                self.names[outcome] += 1
        if len(self.pending):
            self.scorer.wake()

    def _observed(self, observation: Observation, now_s: float) -> str:
        """What became of the name; "" where there was no room for it, which is counted elsewhere."""
        name = observation.name
        if is_local(name):
            return "reverse" if is_at_or_below(name, REVERSE) else "local"
        heard = believed(observation, private=self.settings.private_addresses)
        self.records["unrelated"] += heard.unrelated
        self.records["unusable"] += heard.unusable
        if self.feed is not None and observation.rcode == _NOERROR:
            self.feed.add(heard.records, observation.time_s, int(time.time()))
        if heard.aliases:
            self._take_in([name, *heard.aliases], now_s)
        if (found := self.cache.get(name, now_s)) is not None:
            if found[0].action != ALLOW or self.policy.block_threshold is not None:
                self._follow(name, found[0])
            return "cached"
        if self._passes(name, now_s):
            return "listed"
        answers = answers_text(answers_about(name, heard.records))
        return "queued" if self.pending.offer(name, answers) else ""

    def _passes(self, name: bytes, now_s: float) -> bool:
        return self.policy.allowlist.covers(name) or self.shelter.covers(name, now_s)

    def _take_in(self, chain: list[bytes], now_s: float) -> None:
        """Shelter what a listed name of a chain of aliases leads to; some resolvers tell it link by link."""
        passing = [place for place, name in enumerate(chain) if self._passes(name, now_s)]
        for name in chain[passing[0] + 1 :] if passing else ():
            self.shelter.take_in([name], now_s)
            self.publisher.drop(name)

    def lookup(self, name: bytes) -> Told | str:
        """What is known of a name; "" after putting it in line, else why it is not."""
        now_s = time.monotonic()
        if is_local(name):
            return Told(0.0, self.settings.cache_ttl_s, "allow/local")
        found = self.cache.get(name, now_s)
        if found is not None:
            return self._told(name, *found)
        if self._passes(name, now_s):
            return Told(0.0, self.settings.cache_ttl_s, "allow/listed")
        if not self.pending.offer(name, "", awaited=True):
            return "full"
        self.scorer.wake()
        return "" if self.scorer.breaker.closed else "away"

    def _verdict(self, name: bytes, scored: Scored) -> Verdict:
        return self.policy.verdict(name, scored, sheltered=self.shelter.covers(name, time.monotonic()))

    def _told(self, name: bytes, scored: Scored, ttl_s: int) -> Told:
        verdict = self._verdict(name, scored)
        return Told(scored.score, ttl_s, f"{self.policy.told(verdict)}/{verdict.reason}")

    def on_scored(self, scores: Mapping[bytes, Scored]) -> None:
        """Scores have come: remember them, tell who waits, and have the zone follow."""
        now_s = time.monotonic()
        for name, scored in scores.items():
            self.cache.put(name, scored, now_s)
            self.questions.scored(name, self._told(name, scored, self.settings.cache_ttl_s))
            verdict = self._follow(name, scored)
            self.verdicts[verdict.action] += 1
            if verdict.spared:
                self.publisher.kept_out[verdict.spared] += 1

    def _follow(self, name: bytes, scored: Scored) -> Verdict:
        """Have the zone follow what is thought of a name now; while it is seen it stays there."""
        verdict = self._verdict(name, scored)
        if verdict.action != BLOCK:
            self.publisher.drop(name)
        elif self.policy.published:
            self.publisher.put(name, int(time.time()) + self.settings.block_ttl_s)
        return verdict

    @property
    def _publish_every_s(self) -> float:
        # Without a journal serials begin at the second, and must not run ahead of the clock.
        return _PUBLISH_EVERY_S if self.settings.state_dir is not None else _PUBLISH_BY_CLOCK_S

    async def run(self) -> None:
        """Everything that goes on by itself, until cancelled."""
        self.publisher.tell()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.scorer.run())
            group.create_task(self.upkeep.repeat("publish", self.publisher.publish, self._publish_every_s))
            group.create_task(self.upkeep.repeat("housekeep", self._housekeep, _HOUSEKEEP_EVERY_S))
            for notifier in self.publisher.notifiers:
                group.create_task(notifier.run())
            if self.feed is not None:
                group.create_task(
                    self.upkeep.repeat("passive DNS", self._rotate, self.settings.passive_dns_rotate_s)
                )

    async def _housekeep(self) -> None:
        self.cache.drop_expired(time.monotonic())
        self.publisher.zone.drop_expired(time.time())

    async def _rotate(self) -> None:
        if self.feed is not None:
            await self.rotate(self.feed)

    async def rotate(self, feed: Feed) -> None:
        """Write what was gathered, and import what is kept.

        Raises:
            OSError: the files cannot be written.
        """
        path = await asyncio.to_thread(feed.write, feed.take(), time.time())
        store = self.settings.graph_store
        if path is not None and store is not None:
            private = self.settings.private_addresses
            self.imports["ok" if await import_files(feed.files(), store, private=private) else "failed"] += 1

    def health(self) -> tuple[bool, dict[str, object]]:
        """Always well while it runs: without a transformer it does what it can; details say so."""
        zone = self.publisher.zone
        return True, {
            "transformer": "up" if self.scorer.breaker.closed else "left alone",
            "mode": self.settings.mode,
            "zone_serial": zone.serial,
            "zone_names": len(zone.rules) - len(zone.pinned),
            "zone_kept": not self.publisher.journal.lost,
        }


def _feed(settings: Settings) -> Feed | None:
    if settings.passive_dns_dir is None:
        return None
    return Feed(settings.passive_dns_dir, settings.passive_dns_keep_mb << 20, _MAX_FEED_RECORDS)
