"""The zone's content: rules until when, a serial for each change, and the last changes for IXFR."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from resolver.rpz.rules import Rule

_SERIALS: Final = 1 << 32
# Past as many changed rules a whole transfer costs less.
_MAX_DIFFERENCE: Final = 20_000
FOREVER: Final = 1 << 62
"""second at which a rule expires that the operator's list stands for"""


@dataclass(frozen=True, slots=True)
class Change:
    """What one serial added to the one before, and took away."""

    before: int
    serial: int
    added: dict[Rule, int]
    """rules and the second (since 1970) at which they expire"""
    removed: tuple[Rule, ...]


@dataclass(slots=True)
class Zone:
    """Rules in the zone; changes gather until they are committed together under one serial."""

    max_names: int
    """rules that come from scores; those of the operator's list are not counted"""
    serial: int = 0
    rules: dict[Rule, int] = field(default_factory=dict)
    shed: int = 0
    """rules that found no room"""
    pinned: frozenset[Rule] = frozenset()
    """rules that stand whatever is scored"""
    _changes: deque[Change] = field(default_factory=deque)
    _kept: int = 0
    """rules in these changes together"""
    _added: dict[Rule, int] = field(default_factory=dict)
    _removed: set[Rule] = field(default_factory=set)
    _under_way: Change | None = None

    def pin(self, rules: Iterable[Rule]) -> None:
        """Have these rules in the zone, and none that was pinned before."""
        self.pinned = frozenset(rules)
        for rule, expires_s in self.to_come().items():
            if expires_s == FOREVER and rule not in self.pinned:
                self.drop(rule)
        for rule in self.pinned:
            self.put(rule, FOREVER)

    def to_come(self) -> dict[Rule, int]:
        """The rules there will be when what gathered is committed, and when they expire."""
        begun = self._under_way or Change(0, 0, {}, ())
        gone = self._removed.union(begun.removed)
        served = {rule: expires_s for rule, expires_s in self.rules.items() if rule not in gone}
        started = {rule: expires_s for rule, expires_s in begun.added.items() if rule not in self._removed}
        return served | started | self._added

    def put(self, rule: Rule, expires_s: int) -> None:
        """Have a rule in the zone until some second; later than before is enough to know."""
        self._removed.discard(rule)
        if (held := self._holder(rule)) is not None:
            # A renewed rule is the same record: nothing for resolvers to transfer.
            held[rule] = max(expires_s, held[rule])
        elif rule not in self._added and expires_s < FOREVER and self._size_to_come() >= self.max_names:
            self.shed += 1
        else:
            self._added[rule] = expires_s

    def _size_to_come(self) -> int:
        """Rules by scores there will be; those that are to go count: they are served until they are gone."""
        under_way = len(self._under_way.added) if self._under_way is not None else 0
        return len(self.rules) + under_way + len(self._added) - len(self.pinned)

    def drop(self, rule: Rule) -> None:
        """Have a rule out of the zone."""
        self._added.pop(rule, None)
        if self._holder(rule) is not None:
            self._removed.add(rule)

    def _holder(self, rule: Rule) -> dict[Rule, int] | None:
        """Where a rule stands that is in the zone, or will be when the change under way is made."""
        if self._under_way is not None:
            if rule in self._under_way.added:
                return self._under_way.added
            if rule in self._under_way.removed:
                return None
        return self.rules if rule in self.rules else None

    def drop_expired(self, now_s: float) -> None:
        """Have those out whose time is over."""
        for rule in [rule for rule, expires_s in self.rules.items() if expires_s <= now_s]:
            self.drop(rule)

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
        for rule in change.removed:
            del self.rules[rule]
        self.rules.update(change.added)
        self.serial, self._under_way = change.serial, None
        self._remember(change)

    def cancel(self, change: Change) -> None:
        """Take a change back that nobody was served: what is in it gathers again, with what came after it."""
        self._under_way = None
        since, gone = self._added, self._removed
        self._added, self._removed = {}, set()
        for rule, expires_s in change.added.items():
            if rule not in gone:
                self._added[rule] = expires_s
        for rule in change.removed:
            if rule not in since:
                self._removed.add(rule)
        self._removed |= gone - change.added.keys()
        for rule, expires_s in since.items():
            self.put(rule, expires_s)

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

    def forget_changes(self) -> None:
        """Have everybody transfer the zone whole from now on who has not the present serial."""
        self._changes.clear()
        self._kept = 0

    def since(self, serial: int) -> list[Change] | None:
        """The changes after a serial; None where they are not all known any more."""
        if serial == self.serial:
            return []
        changes = list(self._changes)
        for place, change in enumerate(changes):
            if change.before == serial:
                return changes[place:]
        return None

    def replay(self, change: Change) -> None:
        """Follow a change that was made before this process began, whatever it adds or removes."""
        for rule in change.removed:
            self.rules.pop(rule, None)
        self.rules.update(change.added)
        self.serial = change.serial
        # What a journal begins with leads nobody from one serial to another.
        if change.before != change.serial:
            self._remember(change)


def _size(change: Change) -> int:
    return len(change.added) + len(change.removed)


def following(serial: int, steps: int = 1) -> int:
    """The serial so many steps on, in the arithmetic of RFC 1982; 0 is left out, which some take for none.

    >>> following(4294967295)
    1
    """
    return (serial + steps - 1) % (_SERIALS - 1) + 1


def first_serial() -> int:
    """Where counting begins without a journal: the second, so later than what was lost in all likelihood."""
    return int(time.time()) % _SERIALS


def whole(zone: Zone) -> Change:
    """All of a zone as one change, to begin a journal with."""
    return Change(zone.serial, zone.serial, dict(zone.rules), ())
