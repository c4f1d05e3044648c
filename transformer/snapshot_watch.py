"""Looks for newer graph snapshots for as long as the service runs; whatever a store holds, it goes on."""

from __future__ import annotations

import asyncio
import logging

from prometheus_client import Counter

from transformer.graph_store import GraphStore, UnusableSnapshot
from transformer.graph_store.refusals import REASONS, UNEXPECTED

logger = logging.getLogger(__name__)


class SnapshotWatch:
    """Swaps snapshots in; a refusal is counted at each look and told once."""

    def __init__(self, store: GraphStore, refusals: Counter, poll_s: float) -> None:
        self._store = store
        self._refusals = refusals
        self._poll_s = poll_s
        self._told: set[tuple[str, str]] = set()
        for reason in REASONS:
            refusals.labels(reason)

    async def run(self) -> None:
        """Look, wait, and look again."""
        while True:
            await self.look()
            await asyncio.sleep(self._poll_s)

    async def look(self) -> None:
        """Swap in what is new, or keep what is held."""
        try:
            # In a thread: checking the files of a large snapshot takes seconds.
            if await asyncio.to_thread(self._store.refresh):
                logger.info("serving graph snapshot %s", self._store.snapshot.snapshot_id)
            self._told.clear()
        except UnusableSnapshot as refusal:
            self._keep(refusal.reason, refusal.about, str(refusal))
        except Exception as bug:  # noqa: BLE001 - a store must not be able to end a service that has a snapshot
            self._keep(UNEXPECTED, type(bug).__name__, f"{bug!r}. This is a bug.", bug)

    def _keep(self, reason: str, about: str, why: str, bug: Exception | None = None) -> None:
        self._refusals.labels(reason).inc()
        if (reason, about) not in self._told:
            self._told.add((reason, about))
            held = self._store.snapshot.snapshot_id
            logger.error("keeping the old graph snapshot %s: %s", held, why, exc_info=bug)
