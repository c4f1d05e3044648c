"""Changes of the zone on disk, so that serials and names outlive the process."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from resolver.rpz.zone import Change, Zone, replayed, whole

_log = logging.getLogger(__name__)
_FILE: Final = "rpz.journal"
# A journal is written anew when it holds so many times the names of the zone.
_SLACK: Final = 4
_LEAST: Final = 10_000


class UnusableJournal(Exception):
    """A journal whose lines are none of ours; the message says which file and line."""


class Journal:
    """One line of JSON for each change; None as the folder keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / _FILE
        self._entries = 0

    def load(self, max_names: int) -> Zone:
        """The zone as it was, or an empty one.

        Raises:
            UnusableJournal: a line that is not the last is broken.
            OSError: the folder cannot be read.
        """
        if self._path is None or not self._path.exists():
            return replayed(iter(()), max_names)
        zone = replayed(self._changes(self._path), max_names)
        self.rewrite(zone)
        return zone

    def _changes(self, path: Path) -> Iterator[Change]:
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                entry = json.loads(line)
                yield Change(entry["before"], entry["serial"], entry["added"], tuple(entry["removed"]))
            except (ValueError, KeyError, TypeError):
                if number == len(lines):
                    # A process that was killed while it wrote: that change was never served.
                    _log.warning("last change of the journal was cut short and is left out")
                    return
                raise UnusableJournal(f"{path}, line {number}: no change of a zone; move it away") from None

    def append(self, change: Change) -> None:
        """Keep a change; it is on disk when this returns.

        Raises:
            OSError: disk full, or no permission.
        """
        if self._path is None:
            return
        with self._path.open("ab") as journal:
            journal.write(_line(change))
            journal.flush()
            os.fsync(journal.fileno())
        self._entries += len(change.added) + len(change.removed)

    def overgrown(self, zone: Zone) -> bool:
        """Whether it should be written anew."""
        return self._entries > max(_LEAST, _SLACK * len(zone.names))

    def rewrite(self, zone: Zone) -> None:
        """Keep the zone as it is and forget how it came to be."""
        if self._path is None:
            return
        part = self._path.with_suffix(".part")
        with part.open("wb") as journal:
            journal.write(_line(whole(zone)))
            journal.flush()
            os.fsync(journal.fileno())
        part.replace(self._path)
        self._entries = 0


def _line(change: Change) -> bytes:
    entry = {
        "before": change.before,
        "serial": change.serial,
        "added": change.added,
        "removed": change.removed,
    }
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"
