"""/metrics and /healthz, served by a thread of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

Health = Callable[[], tuple[bool, Mapping[str, object]]]


class _Quiet(WSGIRequestHandler):
    timeout = 5

    def log_message(self, *_: object) -> None:
        """Say nothing: a line for each scrape, with the address of who asked, helps nobody."""


class HttpPage:
    """The two pages."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, health: Health) -> None:
        """Take requests.

        Raises:
            OSError: the port is taken.
        """
        metrics = make_wsgi_app(registry)

        def application(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"] == "/metrics":
                return metrics(environ, start)
            if environ["PATH_INFO"] == "/healthz":
                return _health(health, start)
            start("404 Not Found", [("content-type", "text/plain")])
            return [b"expected /metrics or /healthz\n"]

        self._server: WSGIServer = make_server(host, port, application, handler_class=_Quiet)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Take none any more."""
        self._server.shutdown()
        self._server.server_close()


def _health(health: Health, start: StartResponse) -> Iterable[bytes]:
    well, details = health()
    start("200 OK" if well else "503 Service Unavailable", [("content-type", "application/json")])
    return [json.dumps(details).encode() + b"\n"]
