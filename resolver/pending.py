"""Names that wait to be scored: each once, those that somebody waits for first, and never too many."""

from __future__ import annotations

from itertools import islice


class Pending:
    """Two lines of names; the one with a caller waiting goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._awaited: dict[bytes, str] = {}
        self._seen: dict[bytes, str] = {}
        self.shed = 0
        """names not taken, as the lines were full: the newest, so that the others' wait is bounded"""

    def __len__(self) -> int:
        return len(self._awaited) + len(self._seen)

    def offer(self, name: bytes, answers: str, *, awaited: bool = False) -> bool:
        """Put a name in line, with what the resolver saw; False where there is no room.

        Answers that come later are added to a name that waits without any.
        """
        if name in self._awaited:
            self._awaited[name] = self._awaited[name] or answers
            return True
        if name in self._seen:
            answers = answers or self._seen[name]
            if not awaited:
                self._seen[name] = answers
                return True
            del self._seen[name]
        elif len(self) >= self._most:
            self.shed += 1
            return False
        (self._awaited if awaited else self._seen)[name] = answers
        return True

    def take(self, most: int) -> dict[bytes, str]:
        """The next names and their answers, in order."""
        taken: dict[bytes, str] = {}
        for line in (self._awaited, self._seen):
            for name in list(islice(line, most - len(taken))):
                taken[name] = line.pop(name)
        return taken
