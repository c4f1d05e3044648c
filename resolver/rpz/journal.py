"""Changes of the zone on disk, so that serials and rules outlive the process.

A change is on disk before it is served. Where the disk is full, half a line is taken back and the header
says, in place, that the journal has lost something: changes are served all the same, and whoever begins
with this journal takes a serial far beyond any that was served, so that secondaries transfer the zone
whole. Where not even that can be said, nothing new is served: the zone stays as it is.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from resolver.rpz.journal_file import MAX_LOSSES, Read, State, header, line, read
from resolver.rpz.rules import Rule
from resolver.rpz.zone import Change, Zone, first_serial, following, whole

_log = logging.getLogger(__name__)
_FILE: Final = "rpz.journal"
# A journal is written anew when it holds so many times the rules of the zone.
_SLACK: Final = 4
_LEAST: Final = 10_000
# More serials than one process serves before its disk has room again: ten a second for a day.
_BEYOND: Final = 1 << 20


class UnusableJournal(Exception):
    """The folder cannot hold a journal; the message says which and why."""


class Journal:
    """One file in a folder; None as the folder keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / _FILE
        self._entries = 0
        self._state = State()
        self.dropped = 0
        """rules of the file that the law of the zone does not admit"""

    @property
    def lost(self) -> bool:
        """Whether changes were served that are not on disk."""
        return self._state.lost

    def load(self, max_names: int, why_not: Callable[[Rule], str] = lambda _rule: "") -> Zone:
        """The zone as it was, or an empty one; a rule with a reason against it is left out.

        Raises:
            UnusableJournal: the folder cannot be read or written.
        """
        zone = Zone(max_names, first_serial())
        if self._path is None:
            return zone
        try:
            self._load(self._path, zone, why_not)
        except OSError as error:
            raise UnusableJournal(f"{self._path}: {error.strerror or error}") from None
        return zone

    def _load(self, path: Path, zone: Zone, why_not: Callable[[Rule], str]) -> None:
        if not path.exists():
            self._create(path)
            return
        found = read(path.read_bytes())
        for change in found.changes:
            zone.replay(change)
        refused = [rule for rule in zone.rules if why_not(rule)]
        for rule in refused:
            del zone.rules[rule]
        self.dropped = len(refused)
        self._state = found.state
        if found.cut_short:
            _log.warning("last change of the journal was cut short and is left out")
            os.truncate(path, found.whole_octets)
        if found.damaged or found.state.lost or refused:
            self._begin_beyond(path, zone, found)
        self._try_rewrite(zone)

    def _create(self, path: Path) -> None:
        with path.open("xb", buffering=0) as file:
            _write_all(file.fileno(), header(State()))

    def _begin_beyond(self, path: Path, zone: Zone, found: Read) -> None:
        """Take a serial that was never served, since what was served is not all known."""
        reason = "damaged" if found.damaged else "changes that are not in it"
        _log.warning("zone is to be transferred whole", extra={"reason": reason, "refused": self.dropped})
        if found.damaged:
            # For whoever wants to see; one at most, as disks are finite.
            with suppress(OSError):
                shutil.copy(path, path.with_suffix(".damaged"))
        losses = self._state.losses % MAX_LOSSES + 1
        zone.serial = following(zone.serial, losses * _BEYOND)
        zone.forget_changes()
        if found.headed:
            self._say(State(lost=True, losses=losses))
        else:
            self.rewrite(zone)

    def _try_rewrite(self, zone: Zone) -> None:
        try:
            self.rewrite(zone)
        except OSError as error:
            _log.error("journal not written anew", extra={"reason": str(error)})

    def append(self, change: Change) -> bool:
        """Keep a change; whether it is on disk when this returns. If not, the file says so of itself.

        Raises:
            OSError: not even that could be written: the change must not be served.
        """
        if self._path is None:
            return True
        if self._state.lost:
            # A gap cannot be mended by what comes after it.
            return False
        try:
            self._write(line(change))
        except OSError as error:
            _log.error("zone not kept on disk", extra={"reason": str(error)})
            self._say(State(lost=True, losses=self._state.losses))
            return False
        self._entries += len(change.added) + len(change.removed)
        return True

    def _write(self, text: bytes) -> None:
        if self._path is None:
            return
        # Not created here: a journal that somebody moved away has lost what was in it.
        with self._path.open("r+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                _write_all(file.fileno(), text)
            except OSError:
                # Half a line would end what can be read.
                os.ftruncate(file.fileno(), end)
                raise

    def _say(self, state: State) -> None:
        """Write the header in place, for which even a full disk has room."""
        if self._path is not None:
            with self._path.open("r+b", buffering=0) as file:
                _write_all(file.fileno(), header(state))
        self._state = state

    def overgrown(self, zone: Zone) -> bool:
        """Whether it should be written anew."""
        return self._state.lost or self._entries > max(_LEAST, _SLACK * len(zone.rules))

    def rewrite(self, zone: Zone) -> None:
        """Keep the zone as it is and forget how it came to be.

        Raises:
            OSError: not written; the file is as it was.
        """
        if self._path is None:
            return
        part = self._path.with_suffix(".part")
        try:
            with part.open("wb", buffering=0) as file:
                _write_all(file.fileno(), header(State()) + line(whole(zone)))
            part.replace(self._path)
            _settle_folder(self._path.parent)
        finally:
            # On a full disk half a file would keep it full.
            part.unlink(missing_ok=True)
        self._entries, self._state = 0, State()


def _write_all(descriptor: int, octets: bytes) -> None:
    """Write to a file and to its disk."""
    rest = memoryview(octets)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _settle_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
