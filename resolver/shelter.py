"""Names that listed names are aliases of: blocking one would take away the listed name that leads there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MAX_NAMES: Final = 100_000


class Shelter:
    """Names, each until some second of a monotonic clock; the one that was seen longest ago makes room."""

    def __init__(self, ttl_s: float, most: int = MAX_NAMES) -> None:
        self._ttl_s = ttl_s
        self._most = most
        self._until_s: dict[bytes, float] = {}

    def __len__(self) -> int:
        return len(self._until_s)

    def take_in(self, names: Iterable[bytes], now_s: float) -> None:
        """A listed name was seen to lead to these."""
        for name in names:
            self._until_s.pop(name, None)
            while len(self._until_s) >= self._most:
                del self._until_s[next(iter(self._until_s))]
            self._until_s[name] = now_s + self._ttl_s

    def covers(self, name: bytes, now_s: float) -> bool:
        """Whether a name is in here still."""
        until_s = self._until_s.get(name)
        return until_s is not None and until_s > now_s
