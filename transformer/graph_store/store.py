"""The snapshot of a store directory that is served: notice a new one, and keep the last good one."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from transformer.graph_store.layout import (
    CURRENT_FILE,
    KEPT_SNAPSHOTS,
    SNAPSHOT_FILES,
    SNAPSHOTS_FOLDER,
    current_id,
    is_given_id,
)
from transformer.graph_store.refusals import NO_POINTER, UNREADABLE, UnusableSnapshot
from transformer.graph_store.snapshot import Snapshot
from transformer.graph_store.snapshot_meta import NO_META

logger = logging.getLogger(__name__)

# Of a file, what changes when somebody replaces or rewrites it.
Stamp = tuple[int, int, int]


class GraphStore:
    """Holds the current snapshot of a store directory; an empty or missing store is legal.

    `snapshot` may be read from any thread; `refresh` is for one thread at a time.
    """

    def __init__(self, directory: Path, *, falls_back: bool = False) -> None:
        """Open the current snapshot, or, where that is allowed, the one before if it cannot be served.

        Raises:
            UnusableSnapshot: no snapshot can be served, and why not the current one.
        """
        self._directory = directory
        self._taken: Stamp | None = None
        self._refused: tuple[object, UnusableSnapshot] | None = None
        self.snapshot = Snapshot.empty()
        try:
            self.refresh()
        except UnusableSnapshot:
            before = _snapshot_before(directory) if falls_back else None
            if before is None:
                raise
            self._take(before)

    def refresh(self) -> bool:
        """Swap the current snapshot in if it is another than the one held; True when it was.

        Costs one stat where nothing changed. Who still holds the old snapshot may go on with it.

        Raises:
            UnusableSnapshot: the current one cannot be served, each time as long as that is so; the old one
                stays. What may pass is tried again each time; what cannot, once CURRENT or the snapshot's
                files have changed.
        """
        stamp = _stamp(self._directory / CURRENT_FILE)
        if stamp is None:
            self._refuse_without_pointer()
            return False
        if stamp == self._taken:
            return False
        snapshot_id = current_id(self._directory)
        swapped = snapshot_id != self.snapshot.snapshot_id
        if swapped:
            self._take(self._opened(snapshot_id, stamp))
        self._taken, self._refused = stamp, None
        return swapped

    def _refuse_without_pointer(self) -> None:
        if self.snapshot.meta is not NO_META:
            self._taken = None
            raise UnusableSnapshot(f"graph store {self._directory}: {CURRENT_FILE} is gone", NO_POINTER)

    def _opened(self, snapshot_id: str, stamp: Stamp) -> Snapshot:
        folder = self._directory / SNAPSHOTS_FOLDER / snapshot_id
        # Taken before the files are read: what changes meanwhile is looked at again.
        state = stamp, _fingerprint(folder)
        if self._refused is not None and self._refused[0] == state:
            raise self._refused[1].with_traceback(None)
        try:
            return Snapshot.open(folder)
        except UnusableSnapshot as refusal:
            self._refused = None if refusal.passes else (state, refusal)
            raise

    def _take(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        if not snapshot.meta.verified:
            logger.warning(
                "graph snapshot %s has no checksums: it is served unverified until the next import",
                snapshot.snapshot_id,
            )


def _snapshot_before(directory: Path) -> Snapshot | None:
    for snapshot_id in _ids_before(directory)[:KEPT_SNAPSHOTS]:
        with suppress(UnusableSnapshot):
            return Snapshot.open(directory / SNAPSHOTS_FOLDER / snapshot_id)
    return None


def _ids_before(directory: Path) -> list[str]:
    """Ids of the snapshots before the current one, the newest first; of all, where CURRENT does not tell."""
    try:
        names = [path.name for path in (directory / SNAPSHOTS_FOLDER).iterdir()]
    except OSError:
        return []
    ids = sorted(filter(is_given_id, names), reverse=True)
    with suppress(UnusableSnapshot):
        current = current_id(directory)
        return [snapshot_id for snapshot_id in ids if snapshot_id < current]
    return ids


def _fingerprint(folder: Path) -> tuple[Stamp | None, ...]:
    stamps: list[Stamp | None] = []
    for name in sorted(SNAPSHOT_FILES):
        stamps.append(None)
        with suppress(OSError):
            status = (folder / name).stat()
            stamps[-1] = status.st_mtime_ns, status.st_ino, status.st_size
    return tuple(stamps)


def _stamp(current: Path) -> Stamp | None:
    try:
        status = current.stat()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise UnusableSnapshot(
            f"graph store {current.parent} cannot be read ({problem})", UNREADABLE
        ) from None
    return status.st_mtime_ns, status.st_ino, status.st_size
