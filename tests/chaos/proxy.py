"""nginx before two of each service: which of them get traffic changes while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inference_services.processes import free_ports
from tests.nginx_process import Nginx, frame, upstream
from tests.serving.server_process import HOST

Ports = tuple[int, int]
_LISTEN = {"rest": "", "names": " http2", "graphs": " http2"}
_FORWARD = {
    "rest": "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_pass http://rest;",
    "names": "grpc_pass grpc://names;",
    "graphs": "grpc_pass grpc://graphs;",
}


def configuration(folder: Path, ports: dict[str, int], members: dict[str, Sequence[int]]) -> str:
    """Each upstream's members, by port, behind the port where it is asked for."""
    parts = []
    for name, port in ports.items():
        servers = [f"server {HOST}:{member} max_fails=0;" for member in members[name]]
        parts.append(upstream(name, servers))
        listen = f"listen {HOST}:{port}{_LISTEN[name]};"
        parts.append(f"    server {{ {listen} location / {{ {_FORWARD[name]} }} }}")
    return frame(folder, "\n".join(parts))


class Proxy:
    """Traffic for names goes to transformers, over REST and gRPC, and theirs to predictors."""

    def __init__(self, folder: Path, predictors: Sequence[Ports], transformers: Sequence[Ports]) -> None:
        """Start it with everybody in."""
        self._folder = folder
        self.ports = dict(zip(_LISTEN, free_ports(3), strict=True))
        self._all = {"predictor": list(predictors), "transformer": list(transformers)}
        self._in = {name: list(members) for name, members in self._all.items()}
        folder.mkdir(parents=True)
        self._nginx = Nginx(folder, self._configuration())

    def _configuration(self) -> str:
        transformers = self._in["transformer"]
        members = {
            "rest": [rest for rest, _ in transformers],
            "names": [grpc for _, grpc in transformers],
            "graphs": [grpc for _, grpc in self._in["predictor"]],
        }
        return configuration(self._folder, self.ports, members)

    def use(self, service: str, members: Sequence[Ports]) -> None:
        """Send a service's traffic to these; returns when no request is under way to the ones before."""
        self._in[service] = list(members)
        self._nginx.reload(self._configuration())

    def use_all_but(self, service: str, place: int | None = None) -> None:
        """Send a service's traffic to all of it, or to all but one."""
        self.use(service, [ports for n, ports in enumerate(self._all[service]) if n != place])

    def stop(self) -> None:
        """End it."""
        self._nginx.stop()
