"""Remove snapshots that are no longer needed, and nothing that an import did not make.

Ours is a folder whose name is an id, whose files are a snapshot's and nothing else, and which says that id
itself: in meta.json, or in UNFINISHED while it is being written. Links are never followed. Whatever else lies
there stays: other files and folders, links, and snapshots in which somebody has put something.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from transformer.graph_store.layout import (
    CURRENT_FILE,
    KEPT_SNAPSHOTS,
    SNAPSHOT_FILES,
    SNAPSHOTS_FOLDER,
    UNFINISHED_FILE,
    UNFINISHED_SUFFIX,
    current_id,
    is_given_id,
)
from transformer.graph_store.refusals import UnusableSnapshot
from transformer.graph_store.regular_file import NotARegularFile, read_regular
from transformer.graph_store.snapshot_meta import MAX_META_BYTES, META_FILE

logger = logging.getLogger(__name__)

# What is unfinished and this old was left behind by an import that was killed.
ABANDONED_AFTER_S: Final = 24 * 3600.0


class _NotOurs(Exception):
    """A folder is not, or not only, what an import made; ``str(error)`` says why."""


def remove_old(directory: Path, kept: Iterable[str]) -> None:
    """Remove old snapshots, and what killed imports left behind; what cannot be removed is told and stays.

    Args:
        directory: the store.
        kept: ids of the snapshot just made and of the one before it.
    """
    snapshots = directory / SNAPSHOTS_FOLDER
    try:
        names = sorted(path.name for path in snapshots.iterdir())
        _remove_stale_pointers(directory)
    except OSError as problem:
        logger.warning("old snapshots stay: %s", problem)
        return
    for name in _superseded(names, set(kept)):
        if not _is_about_to_be_current(directory, name):
            _try_to_remove(snapshots / name, name, META_FILE)
    for name in names:
        snapshot_id = name.removesuffix(UNFINISHED_SUFFIX)
        if name != snapshot_id and is_given_id(snapshot_id):
            _try_to_remove(snapshots / name, snapshot_id, UNFINISHED_FILE)


def _superseded(names: list[str], kept: set[str]) -> list[str]:
    """The ids that may go, oldest first: the newest stay up to the number that is kept."""
    kept_here = kept & set(names)
    others = [name for name in names if is_given_id(name) and name not in kept]
    return others[: max(0, len(others) - (KEPT_SNAPSHOTS - len(kept_here)))]


def _is_about_to_be_current(directory: Path, snapshot_id: str) -> bool:
    # In this order: the file is renamed to CURRENT, so the snapshot has one of the two names at all times.
    if (directory / f"{CURRENT_FILE}.{snapshot_id}").exists():
        return True
    try:
        return current_id(directory) == snapshot_id
    except UnusableSnapshot:
        return True


def _remove_stale_pointers(directory: Path) -> None:
    for path in directory.glob(f"{CURRENT_FILE}.*"):
        # Another import may take its own away at any moment.
        with suppress(FileNotFoundError):
            status = path.lstat()
            stale = stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime > ABANDONED_AFTER_S
            if stale and is_given_id(path.suffix[1:]) and _says(path, path.suffix[1:]):
                path.unlink()


def _says(path: Path, snapshot_id: str) -> bool:
    try:
        return read_regular(path, 256, follow=False).strip() == snapshot_id.encode()
    except (OSError, NotARegularFile):
        return False


def _try_to_remove(folder: Path, snapshot_id: str, witness: str) -> None:
    try:
        with _opened(folder) as descriptor:
            # Before it is looked into: what another import is writing changes at any moment.
            if witness == UNFINISHED_FILE and _is_young(folder):
                return
            names = _own_files(descriptor, witness)
            _check_witness(folder / witness, snapshot_id)
            if witness == UNFINISHED_FILE and _is_locked(folder / witness):
                return
            # The witness last: what was removed in part is known as ours the next time.
            for name in sorted(names, key=lambda name: name == witness):
                os.unlink(name, dir_fd=descriptor)
        folder.rmdir()
    except _NotOurs as reason:
        logger.warning("left alone, as no import made it, or not all of it: %s (%s)", folder, reason)
    except FileNotFoundError:
        # Another import was quicker.
        return
    except OSError as problem:
        logger.warning("an old snapshot stays: %s", problem)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as problem:
        if problem.errno in (errno.ENOTDIR, errno.ELOOP):
            raise _NotOurs("no folder") from None
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _own_files(descriptor: int, witness: str) -> list[str]:
    names = sorted(os.listdir(descriptor))
    if not names:
        # Another import is about to remove it.
        raise FileNotFoundError
    if witness not in names:
        raise _NotOurs(f"no {witness} in it")
    for name in names:
        if name not in SNAPSHOT_FILES | {witness}:
            raise _NotOurs(f"{name!r:.60} in it")
        if not stat.S_ISREG(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
            raise _NotOurs(f"{name} is no file")
    return names


def _check_witness(witness: Path, snapshot_id: str) -> None:
    try:
        content = read_regular(witness, MAX_META_BYTES, follow=False)
        said = json.loads(content)["snapshot_id"] if witness.name == META_FILE else content.decode().strip()
    except (ValueError, RecursionError, LookupError, TypeError, NotARegularFile) as problem:
        raise _NotOurs(f"{witness.name}: {problem}") from None
    if said != snapshot_id:
        raise _NotOurs(f"{witness.name} is of another snapshot")


def _is_young(folder: Path) -> bool:
    newest = max(path.lstat().st_mtime for path in [folder, *folder.iterdir()])
    return time.time() - newest <= ABANDONED_AFTER_S


def _is_locked(mark: Path) -> bool:
    """Whether an import is alive: one that was stopped for a day, or that is slow."""
    with mark.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            # Without locks the age must do.
            return False
    return False
