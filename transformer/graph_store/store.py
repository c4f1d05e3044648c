"""The current snapshot in a directory: publish a new one, notice when somebody did.

``STORE/CURRENT`` holds the id of the snapshot to serve, ``STORE/snapshots/<id>/`` its files. The snapshot
before stays, for readers about to open it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from transformer.graph_store.builder import SnapshotBuilder
from transformer.graph_store.snapshot import Snapshot
from transformer.graph_store.snapshot_files import SnapshotMeta, SourceFile, UnwritableSnapshot, sync
from transformer.graph_store.snapshot_writer import Progress, write_snapshot

CURRENT_FILE: Final = "CURRENT"
SNAPSHOTS_FOLDER: Final = "snapshots"
KEPT_SNAPSHOTS: Final = 2
# An unfinished snapshot this old was left behind by an import that was killed.
ABANDONED_AFTER_S: Final = 24 * 3600.0


class GraphStore:
    """Holds the current snapshot of a store directory; an empty or missing store is legal.

    `snapshot` may be read from any thread; `refresh` is for one thread at a time.
    """

    def __init__(self, directory: Path) -> None:
        """Open the current snapshot.

        Raises:
            UnusableSnapshot: damaged, or of another format or feature schema.
        """
        self._directory = directory
        self._stamp: tuple[int, int] | None = None
        self.snapshot = Snapshot.empty()
        self.refresh()

    def refresh(self) -> bool:
        """Swap the current snapshot in if it is another than the one held; True when it was.

        Costs one stat where nothing changed. Who still holds the old snapshot may go on with it.

        Raises:
            UnusableSnapshot: the new one cannot be served: the old one stays, and the new one is not
                tried again.
        """
        stamp = _stamp(self._directory / CURRENT_FILE)
        if stamp is None or stamp == self._stamp:
            return False
        self._stamp = stamp
        snapshot_id = (self._directory / CURRENT_FILE).read_text().strip()
        if snapshot_id == self.snapshot.snapshot_id:
            return False
        self.snapshot = Snapshot.open(self._directory / SNAPSHOTS_FOLDER / snapshot_id)
        return True


def _stamp(current: Path) -> tuple[int, int] | None:
    # The file is replaced, never rewritten: a new one has another inode or time.
    try:
        status = current.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


def publish(
    directory: Path,
    builder: SnapshotBuilder,
    sources: Sequence[SourceFile] = (),
    progress: Progress = lambda _stage, _done, _total: None,
) -> SnapshotMeta:
    """Write what the builder gathered as a new snapshot and make it the current one.

    Readers see the old snapshot or the new one, whole; a crash leaves the old one.

    Raises:
        UnwritableSnapshot: no room on the disk, or another thing that the system refused.
    """
    try:
        return _publish(directory, builder, sources, progress)
    except OSError as problem:
        # numpy's own writes say how many bytes are missing and not why.
        reason = problem.strerror or f"not written whole, is the disk full? ({problem})"
        raise UnwritableSnapshot(
            f"graph store {directory}: {reason}; the snapshot before, if any, stays current"
        ) from problem


def _publish(
    directory: Path, builder: SnapshotBuilder, sources: Sequence[SourceFile], progress: Progress
) -> SnapshotMeta:
    snapshot_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    final = directory / SNAPSHOTS_FOLDER / snapshot_id
    unfinished = final.with_suffix(".tmp")
    unfinished.mkdir(parents=True)
    try:
        meta = write_snapshot(unfinished, snapshot_id, builder, sources, progress)
        for path in [*unfinished.iterdir(), unfinished]:
            sync(path)
    except BaseException:
        shutil.rmtree(unfinished)
        raise
    unfinished.rename(final)
    sync(final.parent)
    try:
        _make_current(directory, snapshot_id)
    except BaseException:
        shutil.rmtree(final)
        raise
    _remove_old(final.parent, snapshot_id)
    return meta


def _make_current(directory: Path, snapshot_id: str) -> None:
    # A name of its own: another import may be at the same step.
    pending = directory / f"{CURRENT_FILE}.{snapshot_id}"
    try:
        pending.write_text(f"{snapshot_id}\n")
        sync(pending)
        pending.replace(directory / CURRENT_FILE)
    except BaseException:
        pending.unlink(missing_ok=True)
        raise
    sync(directory)


def _remove_old(snapshots: Path, current: str) -> None:
    finished = sorted(path for path in snapshots.iterdir() if path.suffix != ".tmp" and path.name != current)
    abandoned = [path for path in snapshots.glob("*.tmp") if _age_seconds(path) > ABANDONED_AFTER_S]
    for path in [*finished[: 1 - KEPT_SNAPSHOTS], *abandoned]:
        shutil.rmtree(path, ignore_errors=True)


def _age_seconds(path: Path) -> float:
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime
    return 0.0
