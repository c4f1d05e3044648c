"""Answers of the REST front: JSON, errors with their status, one way to send them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson
from starlette.types import Send

from contract.errors import RiskError
from serving.v2_json import V2Body

_JSON: Final = (b"content-type", b"application/json")
_CLOSE: Final = (b"connection", b"close")
_BINARY: Final = (b"content-type", b"application/octet-stream")
# Statuses after which the same request may succeed a moment later.
_RETRY_STATUSES: Final = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete HTTP answer; `headers` are lower-case pairs without content-length."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (_JSON,)

    async def send(self, send: Send, *, last: bool = False) -> None:
        """Write the answer to its connection; `last` tells the caller to open another one."""
        headers = [*self.headers, (b"content-length", str(len(self.body)).encode())]
        if last:
            headers.append(_CLOSE)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def json_reply(content: object, status: int = 200) -> Reply:
    """An answer of JSON.

    Raises:
        TypeError: content that JSON cannot carry.
    """
    return Reply(status, orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY))


def tensor_reply(body: V2Body) -> Reply:
    """An answer of tensors, as JSON or as JSON with binary tensors behind it."""
    if body.json_length is None:
        return Reply(200, body.content)
    length = (b"inference-header-content-length", str(body.json_length).encode())
    return Reply(200, body.content, (_BINARY, length))


def error_reply(status: int, message: str) -> Reply:
    """An answer that says what was wrong, in the shape of KServe and Triton."""
    # A caller's bytes may be quoted in the message; a lone surrogate must not break the answer.
    body = orjson.dumps({"error": message.encode("utf-8", "replace").decode()})
    retry = ((b"retry-after", b"1"),) if status in _RETRY_STATUSES else ()
    return Reply(status, body, (_JSON, *retry))


def refusal(error: RiskError) -> Reply:
    """The answer to a request that raised this error."""
    return error_reply(error.http_status, str(error))
