"""What a request says about itself beside its tensors: its id, its trace, its deadline."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Collection, Iterable
from typing import Final

from contract.errors import InvalidTensors, Overloaded, PredictorUnavailable
from serving.tensor_contract import echo

REQUEST_ID: Final = "x-request-id"
TIMEOUT_MS: Final = "x-request-timeout-ms"

# W3C Trace Context, https://www.w3.org/TR/trace-context/; nothing else of a caller goes downstream.
FORWARDED: Final = frozenset({"traceparent", "tracestate", REQUEST_ID})
_LONGEST_FORWARDED: Final = 512

# gRFC A6: how long a gRPC client should wait before it tries again what was refused for load.
RETRY_PUSHBACK: Final = (("grpc-retry-pushback-ms", "1000"),)
RETRYABLE: Final = (Overloaded, PredictorUnavailable)

# All but the last group of a UUID.
_PROCESS: Final = str(uuid.uuid4())[:24]
_NUMBERS: Final = itertools.count(1)


def forwardable(metadata: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The header or metadata entries to hand downstream; gRPC takes printable ASCII only.

    >>> forwardable([("x-request-id", "7"), ("authorization", "secret"), ("tracestate", "ä")])
    {'x-request-id': '7'}
    """
    entries = [(name, value) for name, value in metadata if name in FORWARDED]
    return {name: value for name, value in combined(entries).items() if _travels(value)}


def combined(entries: Collection[tuple[str, str]]) -> dict[str, str]:
    """Headers by name; those that came more than once as one list (RFC 9110, 5.3), so that none is lost.

    >>> combined([("tracestate", "a=1"), ("x-request-id", "7"), ("tracestate", "b=2")])
    {'tracestate': 'a=1, b=2', 'x-request-id': '7'}
    """
    headers = dict(entries)
    if len(headers) == len(entries):
        return headers
    values: dict[str, list[str]] = {}
    for name, value in entries:
        values.setdefault(name, []).append(value)
    return {name: ", ".join(found) for name, found in values.items()}


def _travels(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_FORWARDED
        and value.isascii()
        and value.isprintable()
    )


def new_id() -> str:
    """A UUID that no other request has: random for the process, then counted; a random one costs more."""
    return f"{_PROCESS}{next(_NUMBERS):012x}"


def identify(request_id: str, forward: dict[str, str]) -> str:
    """The id to answer with: the request's own, else its x-request-id, else a new one.

    Also makes sure that `forward` carries an x-request-id downstream.
    """
    chosen = request_id or forward.get(REQUEST_ID) or new_id()
    if REQUEST_ID not in forward and _travels(chosen):
        forward[REQUEST_ID] = chosen
    return chosen


def timeout_s(header: str | None) -> float | None:
    """Seconds a REST caller wants to wait at most; None where it did not say.

    >>> timeout_s("250"), timeout_s(None)
    (0.25, None)

    Raises:
        InvalidTensors: not a positive integer.
    """
    if header is None:
        return None
    if not (header.isascii() and header.isdecimal() and len(header) <= 18 and int(header) > 0):
        raise InvalidTensors(f"{TIMEOUT_MS}: expected a positive integer of milliseconds, got {echo(header)}")
    return int(header) / 1000
