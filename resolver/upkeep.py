"""What goes on by itself, again and again: a turn that fails is counted and said, and the next one comes."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Upkeep:
    """The turns of one process."""

    failures: Counter[str] = field(default_factory=Counter)
    """turns that failed, by what they were for"""
    _said: dict[str, str] = field(default_factory=dict)

    async def repeat(self, what: str, turn: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Take a turn every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await turn()
            except Exception as error:  # noqa: BLE001 - what is served goes on, whatever a part of it does
                self.failed(what, error)
            else:
                self._said.pop(what, None)

    def failed(self, what: str, error: Exception) -> None:
        """Count it; the same failure is said once until it is over."""
        self.failures[what] += 1
        reason = f"{type(error).__name__}: {error}"
        if self._said.get(what) != reason:
            self._said[what] = reason
            _log.error("left undone", extra={"what": what, "reason": reason})
