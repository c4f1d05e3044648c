"""Names that are never blocked, whatever their score: the operator's, and popular registered domains."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from resolver.wire_names import ROOT, NotAName, from_text, labels_of, parent_of

POPULAR: Final = Path(__file__).parent / "popular_domains.txt"
# Characters that a list of names holds by mistake; an octet of a name is escaped where it is one of them.
_NO_NAME: Final = re.compile(r"(?<!\\)[^A-Za-z0-9_.\\-]")


class UnusableList(Exception):
    """A list of names cannot be read, or a line of it is no name; the message says which."""


class Allowlist:
    """A name on the list stands for itself and for everything below it."""

    def __init__(self, names: Iterable[bytes] = ()) -> None:
        self.names = frozenset(names)

    def __len__(self) -> int:
        return len(self.names)

    def covers(self, name: bytes) -> bool:
        """Whether a name, or one above it, is on the list.

        >>> Allowlist([from_text("example.com")]).covers(from_text("www.example.com"))
        True
        >>> Allowlist([from_text("example.com")]).covers(from_text("badexample.com"))
        False
        """
        names = self.names
        while name not in names:
            if not name:
                return False
            name = parent_of(name)
        return True

    def highest(self) -> Iterator[bytes]:
        """The names that no other one covers."""
        return (name for name in self.names if not self.covers(parent_of(name)))


def read_allowlist(*paths: Path) -> Allowlist:
    """The names of some files, one a line; `#` begins a comment.

    Raises:
        UnusableList: a file that cannot be read, or a line that is no name (IDN as xn--).
    """
    return Allowlist(name for path in paths for name in _names_in(path))


def _names_in(path: Path) -> Iterator[bytes]:
    try:
        # With or without the mark that editors of another system put first.
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableList(f"{path}: {error}") from None
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text:
            yield _name(text, f"{path}, line {number}")


def _name(text: str, place: str) -> bytes:
    if text.startswith("*."):
        raise UnusableList(
            f"{place}: {text[:80]!r}: write {text[2:80]!r}, which stands for all below it, too"
        )
    if _NO_NAME.search(text):
        raise UnusableList(f"{place}: {text[:80]!r} is no domain name (IDN as xn--, odd octets escaped)")
    try:
        name = from_text(text)
    except NotAName as why:
        raise UnusableList(f"{place}: {text[:80]!r} is no domain name ({why})") from None
    if b"*" in labels_of(name):
        raise UnusableList(f"{place}: {text[:80]!r}: a name stands for all below it without a wildcard")
    if name == ROOT:
        raise UnusableList(
            f"{place}: the root would allow every name; DNS_RISK_RESOLVER_MODE=monitor blocks none"
        )
    return name
