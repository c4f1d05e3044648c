"""A file, a pipe or standard input, gzipped or not: read once from its beginning, in bounded memory."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from resolver.replay.report import LONG_LINE, Report, UnusableLog, shown

STDIN: Final = Path("-")
# More than the header of any format, and than most first lines.
HEAD: Final = 1 << 16
# A response of 64 KiB, each octet as \x00, and JSON around it.
MAX_LINE: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
# gzip raises all three for files that are cut short or damaged.
_DAMAGE: Final = (OSError, EOFError, zlib.error)


class _Rest(io.RawIOBase):
    """What was looked at, and what is behind it; simply ends where the file cannot be read any further."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._served = 0
        self.damaged = ""
        self.head = b""
        while len(self.head) < HEAD and (more := self._more(HEAD - len(self.head))):
            self.head += more

    def _more(self, size: int) -> bytes:
        if self.damaged:
            return b""
        try:
            # Not read(): it would lose what came before the damage.
            return self._file.read1(size)
        except _DAMAGE as error:
            self.damaged = getattr(error, "strerror", None) or str(error) or type(error).__name__
            return b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.head[self._served : self._served + len(buffer)]
        self._served += len(data)
        data = data or self._more(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Source:
    """Octets that can be looked at before they are read."""

    def __init__(self, file: Any) -> None:
        self._rest = _Rest(file)
        self.stream = io.BufferedReader(self._rest, HEAD)

    @property
    def head(self) -> bytes:
        """The first 64 KiB, or all of it."""
        return self._rest.head

    @property
    def damaged(self) -> str:
        """Why no more can be read, where that is not simply the end."""
        return self._rest.damaged

    def read(self, size: int) -> bytes:
        """So many octets; fewer only at the end."""
        return self.stream.read(size)

    def skip(self, size: int) -> bool:
        """Read past so many octets; whether they were there."""
        while size and (chunk := self.stream.read(min(size, HEAD))):
            size -= len(chunk)
        return size == 0

    def lines(self, report: Report) -> Iterator[tuple[int, str]]:
        """Each line with its number and without its end; no empty ones.

        Octets that are no UTF-8 become surrogates. A line beyond 1 MiB is left out without being held.
        """
        number = 0
        while line := self.stream.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                self._end_line(line)
                report.at(number)
                report.leave_out(LONG_LINE, f"more than {MAX_LINE} octets")
            elif not line.endswith(b"\n") and self.damaged:
                return
            elif text := line.removeprefix(_BOM).rstrip(b"\r\n"):
                yield number, text.decode("utf-8", "surrogateescape")

    def _end_line(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self.stream.readline(HEAD)


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """A source, unzipped where it is gzipped.

    Raises:
        UnusableLog: it cannot be opened.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb")) if path != STDIN else _standard_input()
        except IsADirectoryError:
            raise UnusableLog(f"{shown(path)}: a directory; name the files in it: {shown(path)}/*") from None
        except (OSError, ValueError) as error:
            raise UnusableLog(f"{shown(path)}: {getattr(error, 'strerror', None) or error}") from None
        source = Source(file)
        if source.head.startswith(_GZIP):
            source = Source(stack.enter_context(_unzipped(source)))
        yield source


def _unzipped(source: Source) -> Any:
    return gzip.GzipFile(fileobj=source.stream)


def _standard_input() -> Any:
    if sys.stdin is None:
        raise OSError(None, "standard input is closed")
    return sys.stdin.buffer
