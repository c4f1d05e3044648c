"""Read lines from files of observations: plain or gzip, by name or from standard input."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STANDARD_INPUT: Final = "-"
MAX_LINE_BYTES: Final = 1 << 20
_GZIP_MAGIC: Final = b"\x1f\x8b"
_BUFFER_BYTES: Final = 1 << 20


class UnreadableFile(Exception):
    """A file cannot be opened or read to its end; ``str(error)`` is one line that names it."""


class SourceReader(io.RawIOBase):
    """Passes bytes on, counting and hashing them. bytes_read: as stored, so compressed where gzip."""

    def __init__(self, raw: io.RawIOBase | io.BufferedIOBase) -> None:
        super().__init__()
        self._raw = raw
        self._sha256 = hashlib.sha256()
        self.bytes_read = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from the file."""
        view = memoryview(buffer)
        content = self._raw.read(len(view)) or b""
        view[: len(content)] = content
        self._sha256.update(content)
        self.bytes_read += len(content)
        return len(content)

    def close(self) -> None:
        """Close the file too; standard input belongs to the process."""
        if self._raw is not sys.stdin.buffer:
            self._raw.close()
        super().close()

    def sha256(self) -> str:
        """Hex digest of all that was read."""
        return self._sha256.hexdigest()


def open_source(name: str) -> SourceReader:
    """Open a file, or standard input for "-".

    Raises:
        UnreadableFile: no such file, or no permission.
    """
    if name == STANDARD_INPUT:
        return SourceReader(cast("io.BufferedIOBase", sys.stdin.buffer))
    try:
        return SourceReader(Path(name).open("rb", buffering=0))
    except OSError as problem:
        raise UnreadableFile(f"{name}: {problem.strerror}") from None


def size_of(name: str) -> int:
    """Bytes that a source will have been read by its end; 0 where that is not known beforehand."""
    path = Path(name)
    return path.stat().st_size if name != STANDARD_INPUT and path.is_file() else 0


def lines_of(name: str, source: SourceReader) -> Iterator[bytes]:
    """The lines of a source without their ends; one longer than MAX_LINE_BYTES is cut, and so no JSON.

    Raises:
        UnreadableFile: damaged gzip, or the device failed.
    """
    buffered = io.BufferedReader(source, _BUFFER_BYTES)
    compressed = buffered.peek(len(_GZIP_MAGIC))[: len(_GZIP_MAGIC)] == _GZIP_MAGIC
    stream: io.BufferedIOBase = buffered
    if compressed:
        # Buffered once more: GzipFile.readline alone is several times slower.
        stream = io.BufferedReader(gzip.GzipFile(fileobj=buffered), _BUFFER_BYTES)
    try:
        while line := stream.readline(MAX_LINE_BYTES + 1):
            yield line.rstrip(b"\r\n")
            if len(line) > MAX_LINE_BYTES:
                _skip_rest(stream, line)
    except (OSError, EOFError, zlib.error) as problem:
        raise UnreadableFile(f"{name}: {problem}") from None


def _skip_rest(stream: io.BufferedIOBase, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(_BUFFER_BYTES)
