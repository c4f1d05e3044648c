"""What a peer may take: sizes, times, and how often it may do what costs it nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from serving.http2.frames import Code, ConnectionFault

# Frames that ask for work without bringing any: a client that is busy earns more by being answered.
_NUISANCES: Final = 4_000.0
_NUISANCES_PER_S: Final = 500.0

# Refusals of requests that find no room: about a twentieth of a core.
_REFUSALS: Final = 500.0
_REFUSALS_PER_S: Final = 4_000.0
_LONGEST_PAUSE_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server; bytes and seconds.

    Fields:
        message_bytes      largest message, in and out of compression
        header_bytes       largest header list, and largest header block on the wire
        streams            requests open at a time on one connection
        calls              requests open at a time in the process, those on their way in and out included
        held_bytes         unfinished messages and unsent answers of all connections together
        header_timeout_s   until a new connection has introduced itself
        keepalive_s        silence after which a connection is asked whether it lives
        keepalive_limit_s  until it must have answered that
        max_age_s          until a connection is renewed; 0: never
        max_age_grace_s    until a connection that is being renewed is closed whatever happens on it
        deadline_s         for a call to come in and be answered, where its caller set none
        max_deadline_s     the same, whatever its caller asks for
    """

    message_bytes: int
    header_bytes: int
    streams: int
    calls: int
    held_bytes: int
    header_timeout_s: float
    keepalive_s: float
    keepalive_limit_s: float
    max_age_s: float
    max_age_grace_s: float
    deadline_s: float
    max_deadline_s: float


class Patience:
    """A bucket of nuisances: rapid resets, floods of empty frames, pings and settings end here."""

    __slots__ = ("_left", "_seen_s")

    def __init__(self) -> None:
        self._left = _NUISANCES
        self._seen_s = time.monotonic()

    def spend(self, cost: float = 1.0) -> None:
        """Bear one nuisance.

        Raises:
            ConnectionFault: there were too many.
        """
        self._left -= cost
        if self._left < 0.0:
            now_s = time.monotonic()
            self._left = min(_NUISANCES, self._left + (now_s - self._seen_s) * _NUISANCES_PER_S)
            self._seen_s = now_s
            if self._left < 0.0:
                raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "too many frames that bring no work")

    def earn(self) -> None:
        """A request was answered."""
        if self._left < _NUISANCES:
            self._left += 4.0


class RefusalPace:
    """How fast refusals may cost time: beyond it, connections that bring more are not read for a while.

    What is not read waits in the sockets of its sender; so refusing never crowds out answering.
    """

    __slots__ = ("_left", "_seen_s")

    def __init__(self) -> None:
        self._left = _REFUSALS
        self._seen_s = time.monotonic()

    def pause_s(self) -> float:
        """Count one refusal; seconds for which its connection is better not read, mostly 0."""
        self._left -= 1.0
        if self._left >= 0.0:
            return 0.0
        now_s = time.monotonic()
        self._left = min(_REFUSALS, self._left + (now_s - self._seen_s) * _REFUSALS_PER_S)
        self._seen_s = now_s
        return min(_LONGEST_PAUSE_S, max(0.0, -self._left / _REFUSALS_PER_S))


@dataclass(slots=True)
class Held:
    """Bytes and calls that all connections of a process hold together."""

    limits: Limits
    bytes: int = 0
    calls: int = 0
    refusals: RefusalPace = field(default_factory=RefusalPace)
