"""The services under test: a predictor behind a transformer, or two of each behind a proxy."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.canary_demo.nginx import Nginx
from tests.services import SAMPLE, SHIPPED_MODEL, import_passive_dns
from tests.serving.server_process import HOST, ServerProcess, free_ports, poll
from tests.transformer.score_requests import INFER, columns_of, document

NAMES = (
    "example.com",
    "cdn.example.net",
    "never-seen.test",
    "xkqzjwvbnrt.top",
    "paypa1-login.top",
    "a.co.uk",
)

_PROXY = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/unused_fastcgi;
    uwsgi_temp_path {folder}/unused_uwsgi;
    scgi_temp_path {folder}/unused_scgi;
    # What a stopping server did not accept goes to the other one, as Kubernetes' endpoints see to.
    proxy_next_upstream error timeout http_503 non_idempotent;
    grpc_next_upstream error timeout http_503 non_idempotent;
{servers}
}}
"""
_SERVER = """\
    upstream {name} {{ {members} }}
    server {{ listen {host}:{port}{http2}; location / {{ {forward}{name}; }} }}
"""


class System:
    """Processes on fixed ports, so that a restarted one is found where it was."""

    def __init__(self, folder: Path, stack: ExitStack, *, replicas: int = 1) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.model_dir = SHIPPED_MODEL
        self._stack = stack
        self._predictor_ports = [tuple(free_ports(2)) for _ in range(replicas)]
        self._transformer_ports = [tuple(free_ports(2)) for _ in range(replicas)]
        self.predictor_port = self._predictor_ports[0][1]
        self.rest_port, self.grpc_port = self._transformer_ports[0]
        if replicas > 1:
            self._proxy()
        self.predictors = [self.start_predictor(place) for place in range(replicas)]
        self.transformers = [self.start_transformer(place) for place in range(replicas)]
        self.wait_until_well()

    def _proxy(self) -> None:
        self.rest_port, self.grpc_port, self.predictor_port = free_ports(3)
        targets = (
            ("rest", self.rest_port, "", "proxy_pass http://", [rest for rest, _ in self._transformer_ports]),
            ("names", self.grpc_port, " http2", "grpc_pass grpc://", [p for _, p in self._transformer_ports]),
            (
                "graphs",
                self.predictor_port,
                " http2",
                "grpc_pass grpc://",
                [p for _, p in self._predictor_ports],
            ),
        )
        servers = "".join(
            _SERVER.format(
                name=name,
                members=" ".join(f"server {HOST}:{member} max_fails=0;" for member in members),
                host=HOST,
                port=port,
                http2=http2,
                forward=forward,
            )
            for name, port, http2, forward, members in targets
        )
        folder = self.folder / "nginx"
        proxy = Nginx(folder, _PROXY.format(folder=folder, servers=servers))
        self._stack.callback(proxy.stop)

    def start_predictor(self, place: int = 0) -> ServerProcess:
        """A predictor on its ports, with the model of the moment."""
        settings = {"model_dir": str(self.model_dir), "device": "cpu", "torch_threads": "1"}
        return self._started(ServerProcess(("predictor",), settings, self._predictor_ports[place]))

    def start_transformer(self, place: int = 0) -> ServerProcess:
        """A transformer on its ports."""
        settings = {
            "predictor_host": f"{HOST}:{self.predictor_port}",
            "graph_store": str(self.store),
            "snapshot_poll_s": "0.1",
        }
        return self._started(ServerProcess(("transformer",), settings, self._transformer_ports[place]))

    def _started(self, process: ServerProcess) -> ServerProcess:
        self._stack.callback(process.stop)
        return process

    def scores(self) -> dict[str, float]:
        """The score of every name, as the system gives it now."""
        url = f"http://{HOST}:{self.rest_port}{INFER}"
        answer = httpx.post(url, json=document(NAMES), timeout=2)
        answer.raise_for_status()
        return dict(zip(NAMES, columns_of(answer.json())["risk_score"], strict=True))

    def wait_until_well(self, limit_s: float = 60.0) -> float:
        """Until names are scored; how long that took in seconds."""
        began_s = time.monotonic()
        poll(self._is_well, limit_s=limit_s)
        return time.monotonic() - began_s

    def _is_well(self) -> bool:
        try:
            return bool(self.scores())
        except httpx.HTTPError:
            return False

    def use_other_version(self) -> None:
        """From the next start on, predictors serve the same weights under another version."""
        copy = self.folder / "2"
        shutil.copytree(SHIPPED_MODEL, copy, dirs_exist_ok=True)
        path = copy / "config.json"
        version = "2" if self.model_dir == SHIPPED_MODEL else "3"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))
        self.model_dir = copy

    def import_names(self) -> None:
        """Publish a snapshot of the sample, a new one each time."""
        import_passive_dns(self.store, SAMPLE)


@contextmanager
def system(folder: Path, *, replicas: int = 1) -> Iterator[System]:
    """The services for the length of a block."""
    with ExitStack() as stack:
        yield System(folder, stack, replicas=replicas)
