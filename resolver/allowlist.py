"""Names that are never blocked, whatever their score: the operator's, and popular registered domains."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

POPULAR: Final = Path(__file__).parent / "popular_domains.txt"
_NAME: Final = re.compile(
    r"(?:[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)
_MAX_NAME: Final = 253


class UnusableList(Exception):
    """A list of names cannot be read, or a line of it is no name; the message says which."""


class Allowlist:
    """A name on the list stands for itself and for everything below it."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(names)

    def __len__(self) -> int:
        return len(self._names)

    def covers(self, name: str) -> bool:
        """Whether a name, or one above it, is on the list.

        >>> Allowlist(["example.com"]).covers("www.example.com")
        True
        >>> Allowlist(["example.com"]).covers("badexample.com")
        False
        """
        names = self._names
        while name not in names:
            _, dot, name = name.partition(".")
            if not dot:
                return False
        return True


def read_allowlist(*paths: Path) -> Allowlist:
    """The names of some files, one a line; `#` begins a comment.

    Raises:
        UnusableList: a file that cannot be read, or a line that is no name in lower case (IDN as xn--).
    """
    return Allowlist(name for path in paths for name in _names_in(path))


def _names_in(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableList(f"{path}: {error}") from None
    for number, line in enumerate(lines, 1):
        name = line.partition("#")[0].strip().lower().rstrip(".")
        if not name:
            continue
        if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
            raise UnusableList(f"{path}, line {number}: {name[:80]!r} is no domain name")
        yield name
