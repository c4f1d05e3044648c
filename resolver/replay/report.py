"""What became of a log: how much was read, how much of it is used, and why the rest is not."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Final

# Reasons that more than one format has.
BAD_ROW: Final = "row that cannot be read"
BAD_NAME: Final = "no name, or none that can stand in a DNS message"
BAD_TIME: Final = "bad time"
LONG_LINE: Final = "line that is too long"
NO_RESPONSE: Final = "query, or another event that is no response"
OTHER_CLASS: Final = "class other than IN"
OTHER_SERVICE: Final = "mDNS, LLMNR or NetBIOS"
BROKEN_MESSAGE: Final = "broken DNS message, or one without a single question of class IN"
DAMAGED: Final = "file that ends early or is damaged from there on"
LOCAL_NAME: Final = "for names of the house, which are not scored"
NO_ROOM: Final = "another new name, when there was no room for more"

_PLACES: Final = 3
_MAX_DETAIL: Final = 160


class UnusableLog(Exception):
    """A file of which nothing can be used; the message is one line that says what it is."""

    def __init__(self, what: str, command: str = "") -> None:
        super().__init__(what)
        self.command = command
        """what makes a file that is read of it; FILE stands for the file"""


class LeftOut(Exception):
    """One row, packet or frame cannot be used; never ends the work."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Report:
    """Counts what is read; each row, packet or message is either used or left out for one reason.

    >>> report = Report()
    >>> report.begin(Path("log.csv"), ":")
    >>> report.at(7)
    >>> report.leave_out(BAD_TIME, "'n/a'")
    >>> print(report.text())
    read               1
    used               0
    left out           1
                       1  bad time
                          log.csv:7: 'n/a'
    """

    def __init__(self) -> None:
        self.used = 0
        self.left_out: Counter[str] = Counter()
        self.places: dict[str, list[str]] = {}
        """the first few places of each reason that is somebody's mistake"""
        self.answers_left_out = 0
        """single answers, of rows that are used without them"""
        self.for_house = 0
        """what is used and asks for a name that stays in the house"""
        self.refused: list[str] = []
        """files of which nothing can be used"""
        self._file = ""
        self._place = ""
        self._first: dict[str, str] = {}

    @property
    def read(self) -> int:
        """Rows, packets and messages, whatever became of them."""
        return self.used + self.left_out.total()

    def begin(self, path: Path, unit: str) -> None:
        """What follows is of this file; the unit stands between it and the number: `:` or `: packet `."""
        self._file = f"{shown(path)}{unit}"
        self._place = shown(path)
        self._first = {}

    def at(self, number: int) -> None:
        """What follows is of this line, packet or frame."""
        self._place = f"{self._file}{number}"

    def use(self) -> None:
        """What is here is handed on."""
        self.used += 1

    def leave_out(self, reason: str, detail: str = "") -> None:
        """What is here cannot be used; a detail says that somebody may want to look at it."""
        self.left_out[reason] += 1
        places = self.places.setdefault(reason, [])
        if detail:
            place = f"{self._place}: {detail[:_MAX_DETAIL]}"
            self._first.setdefault(reason, place)
            places += [place] if len(places) < _PLACES else []

    def take_back(self, reason: str, detail: str = "") -> None:
        """What was handed on last turned out to be of no use."""
        self.used -= 1
        self.leave_out(reason, detail)

    def why(self, since: Counter[str]) -> str:
        """In one line, why so much of this file was left out since then; "" where there was nothing."""
        reasons = (self.left_out - since).most_common()
        first = next((self._first[reason] for reason, _ in reasons if reason in self._first), "")
        counts = ", ".join(f"{count:,} x {reason}" for reason, count in reasons)
        return f"{counts} ({first})" if first else counts

    def text(self) -> str:
        """For people."""
        lines = [
            f"{what:<9}{count:>11,}"
            for what, count in (("read", self.read), ("used", self.used), ("left out", self.left_out.total()))
        ]
        if self.for_house:
            lines.insert(2, f"{self.for_house:>20,}  {LOCAL_NAME}")
        for reason, count in self.left_out.most_common():
            lines.append(f"{count:>20,}  {reason}")
            lines += [f"{'':22}{place}" for place in self.places[reason]]
        if self.answers_left_out:
            lines.append(f"{self.answers_left_out:>20,}  answers of rows that are used without them")
        return "\n".join(lines)

    def document(self) -> dict[str, object]:
        """For programs."""
        reasons = {
            reason: {"count": count, "places": self.places[reason]}
            for reason, count in self.left_out.most_common()
        }
        return {
            "read": self.read,
            "used": self.used,
            "for_house": self.for_house,
            "left_out": reasons,
            "answers_left_out": self.answers_left_out,
            "refused": self.refused,
        }


def shown(path: Path) -> str:
    """A path that can be printed, whatever octets it has."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def quoted(text: str) -> str:
    """A piece of a file for a message: short, and nothing that a terminal would obey.

    >>> quoted("a" * 99)[-6:]
    "aa'..."
    """
    return ascii(text) if len(text) <= 40 else f"{text[:40]!a}..."
