"""Read lines from files of observations: plain or gzip, by name or from standard input."""

from __future__ import annotations

import gzip
import hashlib
import io
import shlex
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from transformer.graph_store.file_kinds import GZIP, HEAD_BYTES, other_kind
from transformer.graph_store.json_objects import MAX_OBJECT_BYTES, Piece

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STANDARD_INPUT: Final = "-"
_BUFFER_BYTES: Final = 1 << 20
_IMPORT: Final = "python -m transformer.graph_store import -"


class UnreadableFile(Exception):
    """A file cannot be opened or read to its end; ``str(error)`` is one line that names it."""


class SourceReader(io.RawIOBase):
    """Passes bytes on, counting and hashing them. bytes_read: as stored, so compressed where gzip."""

    def __init__(self, raw: io.RawIOBase | io.BufferedIOBase, *, borrowed: bool = False) -> None:
        super().__init__()
        self._raw = raw
        self._borrowed = borrowed
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
        if not self._borrowed:
            self._raw.close()
        super().close()

    def sha256(self) -> str:
        """Hex digest of all that was read."""
        return self._sha256.hexdigest()


class _Headed(io.RawIOBase):
    """A stream whose first bytes were looked at: pipes cannot be read twice."""

    def __init__(self, raw: io.RawIOBase | gzip.GzipFile) -> None:
        super().__init__()
        self._raw = raw
        self.head = b""
        while len(self.head) < HEAD_BYTES and (more := raw.read(HEAD_BYTES - len(self.head))):
            self.head += more
        self._rest = self.head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if not self._rest:
            return self._raw.readinto(buffer) or 0
        view = memoryview(buffer)
        given, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(given)] = given
        return len(given)


def open_source(name: str) -> SourceReader:
    """Open a file, or standard input for "-".

    Raises:
        UnreadableFile: no such file, a directory, or no permission.
    """
    if name == STANDARD_INPUT:
        if sys.stdin is None:
            raise UnreadableFile("-: standard input is closed")
        return SourceReader(cast("io.BufferedIOBase", sys.stdin.buffer), borrowed=True)
    try:
        return SourceReader(Path(name).open("rb", buffering=0))
    except IsADirectoryError:
        raise UnreadableFile(
            f"{name}: a directory; name the files in it, as in {name.rstrip('/')}/*"
        ) from None
    except OSError as problem:
        raise UnreadableFile(f"{name}: {problem.strerror}") from None


def size_of(name: str) -> int:
    """Bytes that a source will have been read by its end; 0 where that is not known beforehand."""
    with suppress(OSError):
        path = Path(name)
        return path.stat().st_size if name != STANDARD_INPUT and path.is_file() else 0
    return 0


def distinct(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of different files, and those that name a file once more, be it by another path."""
    once: dict[object, str] = {}
    again = []
    for name in names:
        identity = _identity(name)
        if identity in once:
            again.append(name)
        else:
            once[identity] = name
    return list(once.values()), again


def _identity(name: str) -> object:
    if name != STANDARD_INPUT:
        with suppress(OSError):
            status = Path(name).stat()
            return status.st_dev, status.st_ino
    return name


def pieces_of(name: str, source: SourceReader) -> Iterator[Piece]:
    """The lines of a source, without their ends; very long ones in parts.

    Raises:
        UnreadableFile: no text, damaged gzip, or the device failed.
    """
    try:
        stream = _text_stream(name, source)
        line = 1
        while text := stream.readline(MAX_OBJECT_BYTES):
            ends = text.endswith(b"\n")
            yield Piece(line, text.rstrip(b"\r\n") if ends else text, ends or len(text) < MAX_OBJECT_BYTES)
            line += ends
    except (OSError, EOFError, zlib.error) as problem:
        raise UnreadableFile(f"{name}: {problem}") from None


def _text_stream(name: str, source: SourceReader) -> io.BufferedReader:
    stream = _Headed(source)
    if stream.head.startswith(GZIP):
        stream = _Headed(gzip.GzipFile(fileobj=io.BufferedReader(stream, _BUFFER_BYTES)))
    kind = other_kind(stream.head)
    if kind is not None:
        raise UnreadableFile(f"{name}: {kind[0]}{_remedy(name, kind[1])}")
    # Buffered once more: GzipFile.readline alone is several times slower.
    return io.BufferedReader(stream, _BUFFER_BYTES)


def _remedy(name: str, command: str) -> str:
    if not command:
        return ", where passive DNS as JSON is expected"
    file = "FILE" if name == STANDARD_INPUT else shlex.quote(name)
    return f"; import it by: {command.format(file)} | {_IMPORT}"
