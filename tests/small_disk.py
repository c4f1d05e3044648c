"""A disk that is soon full: a file system in memory of a few pages, where root may mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BALLAST = "ballast"


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[bool]:
    """Mount it on a folder for the length of a block; false where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=755", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            # Lazily: a process may still map a file of it.
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def leave_room(folder: Path, room_bytes: int) -> None:
    """Fill the disk of a folder but for so many bytes, in whole pages."""
    ballast = folder / BALLAST
    ballast.unlink(missing_ok=True)
    status = os.statvfs(folder)
    pages = status.f_bavail - -(-room_bytes // status.f_bsize)
    with ballast.open("wb") as file:
        if pages > 0:
            os.posix_fallocate(file.fileno(), 0, pages * status.f_bsize)


def make_room(folder: Path) -> None:
    """Take away what `leave_room` put there."""
    (folder / BALLAST).unlink(missing_ok=True)
