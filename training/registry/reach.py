"""Whether a tracking server answers, asked with one request before MLflow is imported.

MLflow takes seconds to import, waits for each call by itself, and says what requests says. This asks as it
would, through the same proxies and trusting the same certificates, and says what is wrong in one line.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

import requests
import urllib3

MODEL_PATH: Final = "/api/2.0/mlflow/registered-models/get?name="

# A kernel answers a connection however busy its server is; the greeting of TLS is the server's to answer.
_CONNECT_S: Final = 5.0
# After so long without an answer it is said that there is waiting.
_SILENT_S: Final = 2.0
_MOST_BYTES: Final = 1 << 20
_LONGEST_SAID: Final = 160
# MLflow may know who is asking where this does not.
_IDENTITY: Final = (
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_AUTH",
    "MLFLOW_TRACKING_AWS_SIGV4",
)
_CREDENTIALS: Final = Path("~/.mlflow/credentials")


def flaw_of_server(uri: str, model: str, limit_s: float, say: Callable[[str], None]) -> str:
    """Why no registry can be had at this address; "" where one answers.

    Args:
        uri: of the server, `http(s)://…`.
        model: a registered model to ask for; it need not be there.
        limit_s: for the whole answer, also one that comes byte by byte.
        say: told once when it takes time.
    """
    found: SimpleQueue[str] = SimpleQueue()
    # A thread, since neither the resolver nor a body that drips can be given a limit from here.
    asking = threading.Thread(target=lambda: found.put(_asked(uri, model, limit_s)), daemon=True)
    asking.start()
    try:
        return found.get(timeout=min(_SILENT_S, limit_s))
    except Empty:
        rest_s = limit_s - _SILENT_S
    if rest_s > 0:
        say(f"no answer yet, waiting up to {limit_s:g} s")
        with suppress(Empty):
            return found.get(timeout=rest_s)
    return f"no answer within {limit_s:g} s"


def _asked(uri: str, model: str, limit_s: float) -> str:
    began_s = time.monotonic()
    connect_s = min(_CONNECT_S, limit_s) if uri.lower().startswith("http:") else limit_s
    try:
        with requests.get(
            uri.rstrip("/") + MODEL_PATH + model,
            timeout=(connect_s, limit_s),
            verify=_trusted(),
            cert=os.environ.get("MLFLOW_TRACKING_CLIENT_CERT_PATH") or None,
            stream=True,
        ) as answer:
            body = answer.raw.read(_MOST_BYTES, decode_content=True)
            kind = answer.headers.get("content-type", "")
            return flaw_of_answer(answer.status_code, kind, body, known=_may_be_known())
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
        return flaw_of_failure(problem, time.monotonic() - began_s)


def _trusted() -> bool | str:
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in {"true", "1"}:
        return False
    return os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or True


def _may_be_known() -> bool:
    return any(os.environ.get(name) for name in _IDENTITY) or _CREDENTIALS.expanduser().exists()


def flaw_of_answer(status: int, kind: str, body: bytes, *, known: bool) -> str:
    """What is wrong with an answer to the question for a model; "" for that of a registry.

    >>> flaw_of_answer(404, "application/json", b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}', known=False)
    ''
    >>> flaw_of_answer(200, "text/html", b"<html>", known=False)
    'no MLflow server: it answers 200 with text/html'

    Args:
        status: of HTTP.
        kind: the content type.
        body: of the answer.
        known: whether MLflow will say who is asking, so that a refusal may not be the last word.
    """
    answer = _object(body)
    if status >= 500 or status == 429:
        return (
            f"it answers {status}: {_short(answer.get('message') or http.client.responses.get(status, ''))}"
        )
    if known or status in {401, 403} or "error_code" in answer:
        return ""
    if status == 200 and isinstance(answer.get("registered_model"), dict):
        return ""
    return f"no MLflow server: it answers {status} with {_short(kind) or 'no content type'}"


def _object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def flaw_of_failure(problem: BaseException, waited_s: float) -> str:
    """What is wrong where there was no answer, by the first cause that is known.

    >>> flaw_of_failure(ConnectionRefusedError(111, "Connection refused"), 0.1)
    'nobody listens there'
    """
    for cause in _causes(problem):
        for kind, said in _FAILURES.items():
            if isinstance(cause, kind):
                return said.format(waited_s=waited_s, cause=_short(_plain(cause)))
    return _short(problem)


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """An exception and those that it stands for, the innermost first."""
    inner = [problem.__cause__, problem.__context__, getattr(problem, "reason", None), *problem.args]
    for one in inner:
        # requests and urllib3 wrap what happened in one another's arguments; nothing is wrapped in itself.
        if isinstance(one, BaseException) and one is not problem:
            yield from _causes(one)
    yield problem


def _plain(problem: BaseException) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return problem.verify_message
    return str(getattr(problem, "strerror", None) or problem)


def _short(said: object) -> str:
    text = " ".join(str(said).split())
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_SAID]


_FAILURES: Final[dict[type[BaseException], str]] = {
    ssl.SSLCertVerificationError: "its certificate is not trusted: {cause}",
    ssl.SSLError: "it does not speak TLS as expected, is it http://? ({cause})",
    socket.gaierror: "the name does not resolve: {cause}",
    UnicodeError: "no name of a host",
    ConnectionRefusedError: "nobody listens there",
    requests.ConnectTimeout: "no connection within {waited_s:.0f} s",
    requests.ReadTimeout: "no answer within {waited_s:.0f} s",
    requests.TooManyRedirects: "it redirects without end",
    TimeoutError: "no answer within {waited_s:.0f} s",
    http.client.RemoteDisconnected: "it closes the connection without an answer, is it https://?",
    ConnectionResetError: "it closes the connection without an answer, is it https://?",
    http.client.HTTPException: "it does not speak HTTP, is it https://?",
    requests.exceptions.ProxyError: "the proxy on the way does not let it through: {cause}",
}
