"""`python -m tests.kube_api`: a Kubernetes API that stores objects, for the official client, in a process of its own.

It has what a rollout needs and no more: any kind, one namespace after another, get, list, create, replace,
merge patch, delete, and the status sub-resource. It validates nothing and runs no controller.
"""

from __future__ import annotations

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.kube_api.store import Refusal, Store

PATH = re.compile(r"^(/apis?/.+?/namespaces/[^/]+/[^/]+)(?:/([^/]+))?(/status)?$")
STORE = Store()


class Handler(BaseHTTPRequestHandler):
    """One request on the store."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        try:
            code, body = 200, self.result()
        except Refusal as refusal:
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": refusal.code}
            code, body = refusal.code, {**status, "reason": refusal.reason, "message": str(refusal)}
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def result(self) -> Any:
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        place = PATH.match(self.path.partition("?")[0])
        if place is None:
            raise Refusal(404, "NotFound", self.path)
        collection, name, status = place.groups()
        body = json.loads(sent) if sent else {}
        if self.command == "GET":
            return STORE.get(collection, name) if name else {"kind": "List", "items": STORE.list(collection)}
        if self.command == "POST":
            return STORE.create(collection, body)
        if self.command == "PUT":
            return STORE.replace(collection, name, body)
        if self.command == "DELETE":
            return STORE.delete(collection, name)
        if "merge-patch" not in self.headers.get("content-type", ""):
            raise Refusal(415, "UnsupportedMediaType", "merge patches only")
        return STORE.patch(collection, name, body, status=bool(status))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - names that http.server calls

    def log_message(self, *_arguments: object) -> None:
        pass


def main() -> None:
    """Serve on a free port of loopback; its URL is the first line printed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
