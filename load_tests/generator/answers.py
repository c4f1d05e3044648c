"""What a connection reports of one request: when it was meant to go out, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, runtime_checkable

OK: Final = ""
LOST: Final = "connection lost"

OnAnswer = Callable[["Connection", float, str, float], None]
"""Called with the connection, the intended time of sending, `OK` or what went wrong, and the time now."""


@runtime_checkable
class Connection(Protocol):
    """What a load needs of a connection; times are seconds of `time.perf_counter`."""

    on_answer: OnAnswer
    closed: bool

    def send(self, request: Any, intended_s: float) -> None:
        """Take a request that was to go out at that time; it may wait for its turn."""

    def flush(self) -> None:
        """Write out what was sent; a connection does so itself after telling of answers."""

    async def close(self) -> None:
        """Close it and wait until it is closed."""


def unheard(_connection: Connection, _intended_s: float, _ended: str, _now_s: float) -> None:
    """An answer that came after its load had ended."""
