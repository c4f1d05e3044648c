"""When to leave a transformer alone that does not answer; pure, the caller brings the clock."""

from __future__ import annotations

from typing import Final

_FAILURES: Final = 3
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 5.0


class Breaker:
    """Closed: calls go on. Open: none, until a pause is over; then one probe decides."""

    def __init__(self) -> None:
        self._failures = 0
        self._pause_s = _FIRST_PAUSE_S
        self._open_until_s: float | None = None
        self._probing = False

    def succeeded(self) -> None:
        """A call was answered: everything is forgotten."""
        self._failures = 0
        self._pause_s = _FIRST_PAUSE_S
        self._open_until_s = None
        self._probing = False

    @property
    def closed(self) -> bool:
        """Whether calls go on as usual."""
        return self._open_until_s is None

    def wait_s(self, now_s: float) -> float:
        """Seconds until a call may be tried; infinite while a probe is under way."""
        if self._open_until_s is None:
            return 0.0
        return float("inf") if self._probing else max(0.0, self._open_until_s - now_s)

    def begin(self) -> None:
        """A call starts; where the breaker is open it is the probe."""
        self._probing = not self.closed

    def failed(self, now_s: float) -> None:
        """A call was not answered."""
        self._failures += 1
        if self._probing:
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        if self._probing or self._failures >= _FAILURES:
            self._open_until_s = now_s + self._pause_s
        self._probing = False
