"""The passive-DNS feed: who resolved to what, first and last seen, how often, and never who asked.

Files are in the Passive DNS Common Output Format, one JSON object a line, as
`python -m transformer.graph_store import` reads them (draft-dulaunoy-dnsop-passive-dns-cof).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from resolver.observations import TYPE_NAMES, Record, rdata_text
from resolver.wire_names import to_text

_PREFIX: Final = "passive-dns-"


class Feed:
    """Records gathered since the last file, one entry for each (owner, type, data)."""

    def __init__(self, folder: Path, keep_bytes: int, max_records: int) -> None:
        self._folder = folder
        self._keep_bytes = keep_bytes
        self._max_records = max_records
        self._seen: dict[Record, list[int]] = {}
        # Only now: later a part may be one that another thread writes.
        for unfinished in folder.glob(f"{_PREFIX}*.part"):
            unfinished.unlink(missing_ok=True)
        self.shed = 0
        """records that were not gathered, as there were too many different ones for one file"""

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, records: Iterable[Record], time_s: int, now_s: int) -> None:
        """Count the records of an answer: those that are believed, see bailiwick.

        Args:
            records: the answer's.
            time_s: second since 1970 at which it was given; 0 where the resolver's clock does not say.
            now_s: the second that it is here; what is seen in the future would never become old.
        """
        seen = self._seen
        at_s = min(time_s or now_s, now_s)
        for record in records:
            entry = seen.get(record)
            if entry is not None:
                entry[0] = min(entry[0], at_s)
                entry[1] = max(entry[1], at_s)
                entry[2] += 1
            elif len(seen) < self._max_records:
                seen[record] = [at_s, at_s, 1]
            else:
                self.shed += 1

    def take(self) -> dict[Record, list[int]]:
        """What was gathered, which the caller writes; gathering starts anew."""
        seen, self._seen = self._seen, {}
        return seen

    def write(self, seen: dict[Record, list[int]], now_s: float) -> Path | None:
        """One file that is whole or not there, then room for it; None where there is nothing to write.

        Raises:
            OSError: the folder cannot be written.
        """
        if not seen:
            return None
        stamp = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%S%fZ")
        path = self._folder / f"{_PREFIX}{stamp}.jsonl"
        part = path.with_suffix(".part")
        try:
            _write_through(part, seen)
            part.rename(path)
        finally:
            # On a full disk half a file for each rotation would keep it full.
            part.unlink(missing_ok=True)
        self._make_room(path)
        return path

    def files(self) -> list[Path]:
        """The files that are kept, oldest first."""
        return sorted(self._folder.glob(f"{_PREFIX}*.jsonl"))

    def _make_room(self, newest: Path) -> None:
        sizes = {path: path.stat().st_size for path in self.files()}
        total = sum(sizes.values())
        for path, size in sizes.items():
            if total <= self._keep_bytes or path == newest:
                break
            path.unlink()
            total -= size


def _write_through(path: Path, seen: dict[Record, list[int]]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(map(_line, seen.items()))
        lines.flush()
        os.fsync(lines.fileno())


def _line(entry: tuple[Record, list[int]]) -> str:
    record, (first, last, count) = entry
    fields = {
        "rrname": to_text(record.owner),
        "rrtype": TYPE_NAMES[record.rtype],
        "rdata": rdata_text(record),
        "time_first": first,
        "time_last": last,
        "count": count,
    }
    return json.dumps(fields, separators=(",", ":")) + "\n"
