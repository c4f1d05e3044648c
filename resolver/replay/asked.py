"""The names of a log with what was answered; a log may have more of them than memory."""

from __future__ import annotations

from collections import Counter
from typing import Final

# About a million names and their answers.
ROOM: Final = 1 << 29
# What a name takes in the tables here and behind them, besides its text.
_OVERHEAD: Final = 400


class Asked:
    """How often each name was asked, and the first answer that said something; within a bound of octets."""

    def __init__(self, room: int = ROOM) -> None:
        self.queries: Counter[bytes] = Counter()
        self.answers: dict[bytes, str] = {}
        self._room = room

    def add(self, name: bytes, answers: str) -> bool:
        """Count a name; False where it is new and there is no room.

        >>> asked = Asked(room=500)
        >>> asked.add(b"a.tk", ""), asked.add(b"b.tk", ""), asked.add(b"a.tk", "A 11.0.2.1")
        (True, False, True)
        >>> asked.queries, asked.answers
        (Counter({b'a.tk': 2}), {b'a.tk': 'A 11.0.2.1'})
        """
        if name not in self.answers:
            needed = _OVERHEAD + len(name)
            if needed > self._room:
                return False
            self._room -= needed
            self.answers[name] = ""
        if answers and not self.answers[name] and len(answers) <= self._room:
            self._room -= len(answers)
            self.answers[name] = answers
        self.queries[name] += 1
        return True
