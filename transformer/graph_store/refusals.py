"""Why a snapshot cannot be served, or not be written."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

UNREADABLE: Final = "unreadable"
"""The system did not give the files: no descriptors left, no permission, a device that fails."""
NO_POINTER: Final = "current"
"""CURRENT is there and is no snapshot's id."""
OTHER_VERSION: Final = "version"
"""Of another format or feature schema."""
DAMAGED: Final = "damaged"
"""Not what was written, or written wrongly."""
UNEXPECTED: Final = "unexpected"
"""A bug."""
REASONS: Final = (UNREADABLE, NO_POINTER, OTHER_VERSION, DAMAGED, UNEXPECTED)

# What is missing comes back only where somebody changes the store.
_MISSING: Final = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)


class UnusableSnapshot(Exception):
    """The snapshot cannot be served; ``str(error)`` is one line that says what to do.

    reason: one of REASONS. about: the snapshot's id, or "" where it is the store. passes: it may be gone at
    the next look, although nothing in the store changes.
    """

    def __init__(self, message: str, reason: str = DAMAGED, about: str = "") -> None:
        super().__init__(" ".join(message.split()))
        self.reason = reason
        self.about = about

    @property
    def passes(self) -> bool:
        """Whether another look is worth it although the store is the same."""
        return self.reason in (UNREADABLE, UNEXPECTED)


def damaged(directory: Path, problem: object) -> UnusableSnapshot:
    """The refusal of a snapshot that is not what was written."""
    return UnusableSnapshot(
        f"graph snapshot {directory} is damaged ({problem}): import again", about=directory.name
    )


def unreadable(directory: Path, problem: OSError) -> UnusableSnapshot:
    """The refusal of a snapshot whose files the system does not give."""
    if problem.errno in _MISSING:
        return damaged(directory, problem)
    return UnusableSnapshot(
        f"graph snapshot {directory} cannot be read ({problem})", UNREADABLE, directory.name
    )


class UnwritableSnapshot(Exception):
    """The snapshot could not be written, and the one before is still current; ``str(error)`` is one line."""
