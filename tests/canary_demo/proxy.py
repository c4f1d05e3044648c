"""HTTPRoute and GRPCRoute as an nginx configuration: what a gateway makes of them, on loopback."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.nginx_process import frame, upstream

Route = Mapping[str, Any]
Addresses = Mapping[tuple[str, int], str]
"""Local host:port by name and port of a backendRef; one that is not there has no pods."""

# Nobody listens there, so that a share of the traffic without pods behind it fails visibly, with 502.
NOWHERE = "127.0.0.1:1"

# A mirrored request needs its body in memory once more; a connection's age bounds how long it stays with the weights
# that it began with.
_OWN = "    client_body_buffer_size 256k;\n    keepalive_time 1s;\n"


@dataclass(frozen=True)
class Protocol:
    """What differs between REST and gRPC in nginx.

    Fields:
        name      begins the names of variables and upstreams
        listen    parameters of `listen`
        forward   directive that passes a request on, with what stands before the upstream's name
    """

    name: str
    listen: str
    forward: str


REST = Protocol("rest", "", "proxy_pass http://")
GRPC = Protocol("grpc", " http2", "grpc_pass grpc://")
PROTOCOLS = {"HTTPRoute": REST, "GRPCRoute": GRPC}


def configuration(
    routes: Sequence[Route], addresses: Addresses, ports: Mapping[str, int], folder: Path
) -> str:
    """The configuration that splits and mirrors as the routes say.

    Args:
        routes: one HTTPRoute, one GRPCRoute, or both.
        addresses: where backendRefs are.
        ports: where to listen, by kind of route.
        folder: for nginx' own files.
    """
    servers = [_server(route, addresses, ports[route["kind"]]) for route in routes]
    return frame(folder, _OWN + "\n".join(servers))


def _server(route: Route, addresses: Addresses, port: int) -> str:
    protocol = PROTOCOLS[route["kind"]]
    rules = route["spec"]["rules"]
    parts = [_upstream(f"{protocol.name}-{n}", rule, addresses) for n, rule in enumerate(rules)]
    parts += [_mirror(f"{protocol.name}-{n}", rule, addresses) for n, rule in enumerate(rules)]
    parts += [_rule_map(protocol.name, rules), _mirror_map(protocol.name, rules), _listener(protocol, port)]
    return "\n".join(part for part in parts if part)


def _upstream(name: str, rule: Route, addresses: Addresses) -> str:
    refs = [ref for ref in rule.get("backendRefs", []) if ref.get("weight", 1)]
    servers = [
        f"server {_address(ref, addresses)} weight={ref.get('weight', 1)} max_fails=0;" for ref in refs
    ]
    return upstream(name, servers or [f"server {NOWHERE} max_fails=0;"])


def _address(ref: Route, addresses: Addresses) -> str:
    return addresses.get((ref["name"], ref["port"]), NOWHERE)


def _mirror(name: str, rule: Route, addresses: Addresses) -> str:
    mirror = mirror_of(rule)
    if mirror is None:
        return ""
    server = f"server {_address(mirror['backendRef'], addresses)} max_fails=0;"
    percent = mirror.get("percent", 100)
    drawn = [f"{percent}% {name}-mirror;"] * (0 < percent < 100)
    rest = f"{name}-mirror" if percent == 100 else '""'
    split = "\n        ".join([*drawn, f"* {rest};"])
    variable = _variable(name, "drawn")
    mirrored = upstream(f"{name}-mirror", [server])
    return f'{mirrored}\n    split_clients "$request_id" {variable} {{\n        {split}\n    }}'


def mirror_of(rule: Route) -> Mapping[str, Any] | None:
    """The rule's RequestMirror filter; nginx has one mirror a request."""
    found = [entry["requestMirror"] for entry in rule.get("filters", []) if entry["type"] == "RequestMirror"]
    return found[0] if found else None


def _variable(name: str, what: str) -> str:
    return f"${name.replace('-', '_')}_{what}"


def _rule_map(name: str, rules: Sequence[Route]) -> str:
    """Which rule a request is of; the first line that matches counts, so the most specific come first."""
    matches = [(match, n) for n, rule in enumerate(rules) for match in rule.get("matches", [{}])]
    matches.sort(key=lambda item: _specificity(item[0]))
    lines = "\n        ".join(f'"~{pattern(match)}" {name}-{n};' for match, n in matches)
    return f'    map "$request_method $uri" ${name}_rule {{\n        default "";\n        {lines}\n    }}'


def _mirror_map(name: str, rules: Sequence[Route]) -> str:
    lines = "".join(
        f"\n        {name}-{n} {_variable(f'{name}-{n}', 'drawn')};"
        for n, rule in enumerate(rules)
        if mirror_of(rule)
    )
    return f'    map ${name}_rule ${name}_mirror {{\n        default "";{lines}\n    }}'


def _specificity(match: Route) -> tuple[int, int, int]:
    path = match.get("path", match.get("method", {}) if isinstance(match.get("method"), Mapping) else {})
    kinds = ("Exact", "PathPrefix", "RegularExpression")
    value = path.get("value", "") or f"{path.get('service', '')}{path.get('method', '')}"
    has_method = isinstance(match.get("method"), str)
    return kinds.index(path.get("type", "PathPrefix")), -len(value), -has_method


def pattern(match: Route) -> str:
    r"""The regular expression of "METHOD /path" that a match means, as the Gateway API defines it.

    >>> pattern({"path": {"type": "PathPrefix", "value": "/v2"}})
    '^\\S+ /v2(/|$)'
    >>> pattern({"method": {"type": "Exact", "service": "a.B"}})
    '^POST /a\\.B/[^/]+$'
    """
    method = match.get("method", r"\S+")
    if isinstance(method, Mapping):
        return f"^POST /{_grpc(method, 'service')}/{_grpc(method, 'method')}$"
    path = match.get("path", {"type": "PathPrefix", "value": "/"})
    value = path["value"]
    if path["type"] == "RegularExpression":
        return f"^{method} {value}$"
    if path["type"] == "Exact":
        return f"^{method} {re.escape(value)}$"
    return f"^{method} {re.escape(value.rstrip('/'))}(/|$)"


def _grpc(method: Route, part: str) -> str:
    value = method.get(part, "")
    if not value:
        return "[^/]+"
    return value if method.get("type") == "RegularExpression" else re.escape(value)


def _listener(protocol: Protocol, port: int) -> str:
    name, forward = protocol.name, protocol.forward
    keep = "proxy_http_version 1.1; proxy_set_header Connection '';" if protocol is REST else ""
    return f"""\
    server {{
        listen 127.0.0.1:{port}{protocol.listen};
        location / {{
            if (${name}_rule = "") {{ return 404; }}
            mirror /mirrored;
            {keep}
            {forward}${name}_rule;
        }}
        location = /mirrored {{
            internal;
            if (${name}_mirror = "") {{ return 204; }}
            {keep}
            # The request as it came, not the place of this location.
            rewrite ^ $request_uri break;
            {forward}${name}_mirror;
        }}
    }}"""
