"""The zone's content: names until when, a serial for each change, and the last changes for IXFR."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_SERIALS: Final = 1 << 32
# Past as many changed names a whole transfer costs less.
_MAX_DIFFERENCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """What one serial added to the one before, and took away."""

    before: int
    serial: int
    added: dict[str, int]
    """names and the second (since 1970) at which they expire"""
    removed: tuple[str, ...]


@dataclass(slots=True)
class Zone:
    """Names in the zone; changes gather until they are committed together under one serial."""

    max_names: int
    serial: int = 0
    names: dict[str, int] = field(default_factory=dict)
    shed: int = 0
    """names that found no room"""
    _changes: deque[Change] = field(default_factory=deque)
    _kept: int = 0
    """names in these changes together"""
    _added: dict[str, int] = field(default_factory=dict)
    _removed: set[str] = field(default_factory=set)
    _under_way: Change | None = None

    def put(self, name: str, expires_s: int) -> None:
        """Have a name in the zone until some second; later than before is enough to know."""
        self._removed.discard(name)
        if (held := self._holder(name)) is not None:
            # A renewed name is the same record: nothing for resolvers to transfer.
            held[name] = max(expires_s, held[name])
        elif name not in self._added and self._size_to_come() >= self.max_names:
            self.shed += 1
        else:
            self._added[name] = expires_s

    def _size_to_come(self) -> int:
        """Names there will be, those that are to go not taken off: they are served until they are gone."""
        under_way = len(self._under_way.added) if self._under_way is not None else 0
        return len(self.names) + under_way + len(self._added)

    def drop(self, name: str) -> None:
        """Have a name out of the zone."""
        self._added.pop(name, None)
        if self._holder(name) is not None:
            self._removed.add(name)

    def _holder(self, name: str) -> dict[str, int] | None:
        """Where a name stands that is in the zone, or will be when the change under way is made."""
        if self._under_way is not None:
            if name in self._under_way.added:
                return self._under_way.added
            if name in self._under_way.removed:
                return None
        return self.names if name in self.names else None

    def drop_expired(self, now_s: float) -> None:
        """Have those out whose time is over."""
        for name in [name for name, expires_s in self.names.items() if expires_s <= now_s]:
            self.drop(name)

    @property
    def changed(self) -> bool:
        """Whether there is something to commit."""
        return bool(self._added or self._removed)

    def begin(self) -> Change:
        """Give what gathered a serial, under which nobody is served yet: first it has to be on disk."""
        change = Change(self.serial, following(self.serial), self._added, tuple(sorted(self._removed)))
        self._under_way, self._added, self._removed = change, {}, set()
        return change

    def finish(self, change: Change) -> None:
        """Serve a change."""
        for name in change.removed:
            del self.names[name]
        self.names.update(change.added)
        self.serial, self._under_way = change.serial, None
        self._remember(change)

    def commit(self) -> Change:
        """Begin a change and finish it."""
        change = self.begin()
        self.finish(change)
        return change

    def _remember(self, change: Change) -> None:
        self._changes.append(change)
        self._kept += _size(change)
        while self._kept > _MAX_DIFFERENCE:
            self._kept -= _size(self._changes.popleft())

    def since(self, serial: int) -> list[Change] | None:
        """The changes after a serial; None where they are not all known any more."""
        if serial == self.serial:
            return []
        changes = list(self._changes)
        for place, change in enumerate(changes):
            if change.before == serial:
                return changes[place:]
        return None


def _size(change: Change) -> int:
    return len(change.added) + len(change.removed)


def following(serial: int) -> int:
    """The next serial, in the arithmetic of RFC 1982; 0 is left out, which some take for none.

    >>> following(4294967295)
    1
    """
    return serial % (_SERIALS - 1) + 1


def first_serial() -> int:
    """Where counting begins without a journal: the second, so later than what was lost in all likelihood."""
    return int(time.time()) % _SERIALS


def replayed(changes: Iterator[Change], max_names: int) -> Zone:
    """The zone that a journal describes."""
    zone = Zone(max_names, first_serial())
    for change in changes:
        for name in change.removed:
            zone.names.pop(name, None)
        zone.names.update(change.added)
        zone.serial = change.serial
        zone._remember(change)  # noqa: SLF001 - this is its constructor
    return zone


def whole(zone: Zone) -> Change:
    """All of a zone as one change, to begin a journal with."""
    names: Mapping[str, int] = zone.names
    return Change(zone.serial, zone.serial, dict(names), ())
