"""Open files that others may have put there: a pipe must not block, a device must not be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotARegularFile(Exception):
    """There is something else where a file is expected, or more of it than is legal."""


def open_regular(path: Path, *, follow: bool = True) -> int:
    """A descriptor for reading.

    Raises:
        NotARegularFile: a folder, pipe, socket or device.
        OSError: missing, no permission, no descriptors left, or a link and `follow` is off.
    """
    # Without O_NONBLOCK, opening a pipe waits for somebody who writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise NotARegularFile(f"{path.name} is no regular file")


def read_regular(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """All of a file of at most `limit` bytes.

    Raises:
        NotARegularFile: something else than a file, or a longer one.
        OSError: see `open_regular`.
    """
    with os.fdopen(open_regular(path, follow=follow), "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise NotARegularFile(f"{path.name} is longer than {limit:,} bytes")
    return content
