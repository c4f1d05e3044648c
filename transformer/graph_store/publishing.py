"""Write a new snapshot beside the old one and make it the current one in one step."""

from __future__ import annotations

import fcntl
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from transformer.graph_store.builder import SnapshotBuilder
from transformer.graph_store.layout import (
    CURRENT_FILE,
    ID_FORMAT,
    SNAPSHOTS_FOLDER,
    UNFINISHED_FILE,
    UNFINISHED_SUFFIX,
    current_id,
    sync,
)
from transformer.graph_store.old_snapshots import remove_old
from transformer.graph_store.refusals import UnusableSnapshot, UnwritableSnapshot
from transformer.graph_store.snapshot_meta import SnapshotMeta, SourceFile
from transformer.graph_store.snapshot_writer import Progress, write_snapshot

logger = logging.getLogger(__name__)


def publish(
    directory: Path,
    builder: SnapshotBuilder,
    sources: Sequence[SourceFile] = (),
    progress: Progress = lambda _stage, _done, _total: None,
) -> SnapshotMeta:
    """Write what the builder gathered as a new snapshot and make it the current one.

    Readers see the old snapshot or the new one, whole; a crash leaves the old one. Imports may run at the
    same time: the last to end is current. Only snapshots that an import made are removed.

    Raises:
        UnwritableSnapshot: no room on the disk, or another thing that the system refused.
    """
    try:
        return _publish(directory, builder, sources, progress)
    except OSError as problem:
        raise UnwritableSnapshot(
            f"graph store {directory}: {problem.strerror or problem}; "
            "the snapshot before, if any, stays current"
        ) from problem


def _publish(
    directory: Path, builder: SnapshotBuilder, sources: Sequence[SourceFile], progress: Progress
) -> SnapshotMeta:
    snapshot_id = datetime.now(UTC).strftime(ID_FORMAT)
    final = directory / SNAPSHOTS_FOLDER / snapshot_id
    unfinished = final.with_suffix(UNFINISHED_SUFFIX)
    unfinished.mkdir(parents=True)
    with _removed_unless_done(unfinished), _marked(unfinished, snapshot_id):
        meta = write_snapshot(unfinished, snapshot_id, builder, sources, progress)
        for path in [*unfinished.iterdir(), unfinished]:
            sync(path)
    before = _id_before(directory)
    _make_current(directory, unfinished, final)
    remove_old(directory, {snapshot_id, before or snapshot_id})
    return meta


@contextmanager
def _removed_unless_done(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _marked(folder: Path, snapshot_id: str) -> Iterator[None]:
    """Say in a folder that it is ours and not finished, by a file that is locked while we live."""
    path = folder / UNFINISHED_FILE
    with path.open("x") as mark:
        # Some network file systems have no locks: then the folder's age must do.
        with suppress(OSError):
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mark.write(f"{snapshot_id}\n")
        mark.flush()
        yield
        path.unlink()


def _id_before(directory: Path) -> str | None:
    try:
        return current_id(directory)
    except UnusableSnapshot:
        return None


def _make_current(directory: Path, unfinished: Path, final: Path) -> None:
    # A name of its own: another import may be at the same step, and leaves our snapshot alone while this
    # file is there.
    pending = directory / f"{CURRENT_FILE}.{final.name}"
    try:
        pending.write_text(f"{final.name}\n")
        sync(pending)
        unfinished.rename(final)
        sync(final.parent)
        pending.replace(directory / CURRENT_FILE)
    except BaseException:
        pending.unlink(missing_ok=True)
        # An interrupt may come when all is done.
        if _id_before(directory) != final.name:
            for folder in (unfinished, final):
                shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        sync(directory)
    except OSError as problem:
        # It is current; whether it still is after a crash is for the disk to say. Both snapshots are there.
        logger.warning("graph store %s: not known to be on the disk yet: %s", directory, problem)
