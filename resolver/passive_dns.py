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

from resolver.observations import TYPE_NAMES, Observation

_PREFIX: Final = "passive-dns-"
_NOERROR: Final = 0


class Feed:
    """Records gathered since the last file, one entry for each (owner, type, data)."""

    def __init__(self, folder: Path, keep_bytes: int, max_records: int) -> None:
        self._folder = folder
        self._keep_bytes = keep_bytes
        self._max_records = max_records
        self._seen: dict[tuple[str, int, str], list[int]] = {}
        # Only now: later a part may be one that another thread writes.
        for unfinished in folder.glob(f"{_PREFIX}*.part"):
            unfinished.unlink(missing_ok=True)
        self.shed = 0
        """records that were not gathered, as there were too many different ones for one file"""

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, observations: Iterable[Observation], now_s: int) -> None:
        """Count the records of some answers."""
        seen = self._seen
        for observation in observations:
            if observation.rcode != _NOERROR:
                continue
            # Resolvers whose clock is not set send 0; what is seen in the future would never become old.
            at_s = min(observation.time_s or now_s, now_s)
            for record in observation.records:
                # The root is nobody's, and no name to the importer.
                if not record.owner or not record.rdata:
                    continue
                entry = seen.get(record)
                if entry is not None:
                    entry[0] = min(entry[0], at_s)
                    entry[1] = max(entry[1], at_s)
                    entry[2] += 1
                elif len(seen) < self._max_records:
                    seen[record] = [at_s, at_s, 1]
                else:
                    self.shed += 1

    def take(self) -> dict[tuple[str, int, str], list[int]]:
        """What was gathered, which the caller writes; gathering starts anew."""
        seen, self._seen = self._seen, {}
        return seen

    def write(self, seen: dict[tuple[str, int, str], list[int]], now_s: float) -> Path | None:
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


def _write_through(path: Path, seen: dict[tuple[str, int, str], list[int]]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(map(_line, seen.items()))
        lines.flush()
        os.fsync(lines.fileno())


def _line(entry: tuple[tuple[str, int, str], list[int]]) -> str:
    (owner, rtype, rdata), (first, last, count) = entry
    record = {
        "rrname": owner,
        "rrtype": TYPE_NAMES[rtype],
        "rdata": rdata,
        "time_first": first,
        "time_last": last,
        "count": count,
    }
    return json.dumps(record, separators=(",", ":")) + "\n"
