"""Where things lie in a store, and what an import calls them.

``STORE/CURRENT`` holds the id of the snapshot to serve, ``STORE/snapshots/<id>/`` its files. A snapshot that
is being written is a folder ``<id>.tmp`` with a file ``UNFINISHED``; one that is about to become current has
a file ``STORE/CURRENT.<id>``. The snapshot before stays, for readers about to open it and to fall back on.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from transformer.graph_store.array_files import ARRAYS, file_name
from transformer.graph_store.refusals import NO_POINTER, UNREADABLE, UnusableSnapshot
from transformer.graph_store.regular_file import NotARegularFile, read_regular
from transformer.graph_store.snapshot_meta import META_FILE

CURRENT_FILE: Final = "CURRENT"
SNAPSHOTS_FOLDER: Final = "snapshots"
KEPT_SNAPSHOTS: Final = 2
UNFINISHED_FILE: Final = "UNFINISHED"
UNFINISHED_SUFFIX: Final = ".tmp"
ID_FORMAT: Final = "%Y%m%dT%H%M%S%fZ"
SNAPSHOT_FILES: Final = frozenset([*map(file_name, ARRAYS), META_FILE])

_GIVEN_ID: Final = re.compile(r"[0-9]{8}T[0-9]{12}Z")
# Whatever people call a snapshot that they have put there by hand, but no path.
_LEGAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MAX_POINTER_BYTES: Final = 256


def is_given_id(name: str) -> bool:
    """Whether an import gives such ids, which ascend with time.

    >>> is_given_id("20260101T120000000000Z"), is_given_id("backup")
    (True, False)
    """
    return _GIVEN_ID.fullmatch(name) is not None


def current_id(directory: Path) -> str:
    """The id of the snapshot to serve.

    Raises:
        UnusableSnapshot: there is no CURRENT, or no id in it.
    """
    path = directory / CURRENT_FILE
    try:
        text = read_regular(path, _MAX_POINTER_BYTES).decode().strip()
    except (FileNotFoundError, NotARegularFile, UnicodeDecodeError, IsADirectoryError) as problem:
        raise UnusableSnapshot(
            f"graph store {directory}: {_broken(problem)}: import again", NO_POINTER
        ) from None
    except OSError as problem:
        raise UnusableSnapshot(f"graph store {directory} cannot be read ({problem})", UNREADABLE) from None
    if not _LEGAL_ID.fullmatch(text):
        message = (
            f"graph store {directory}: {CURRENT_FILE} holds no snapshot's id but {text!r:.60}: import again"
        )
        raise UnusableSnapshot(message, NO_POINTER)
    return text


def _broken(problem: Exception) -> str:
    if isinstance(problem, UnicodeDecodeError):
        return f"{CURRENT_FILE} is not UTF-8"
    return f"{CURRENT_FILE} is gone" if isinstance(problem, OSError) else str(problem)


def sync(path: Path) -> None:
    """Force a file, or a directory's list of files, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
