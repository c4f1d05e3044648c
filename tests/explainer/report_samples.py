"""Explanations as the service answers them, and a peer that answers them over HTTP."""

from __future__ import annotations

import json
import math
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

Explanation = dict[str, Any]
Gain = tuple[str, str, float]

# A label may hold any printable character, and others as \DDD.
HOSTILE: Final = "<script>alert(1)</script>&\"'`{{7*7}}\\032.example"
BASE: Final = 0.0808
MONITOR, BLOCK = 0.8997, 0.9857

# relation as seen from the domain, type of its neighbours, and the most of them in one graph: 31 in all.
_CAPS: Final = (
    ("resolves", "ip", 8),
    ("nameserver", "nameserver", 4),
    ("alias", "domain", 4),
    ("alias_rev", "domain", 4),
    ("apex", "domain", 1),
    ("apex_rev", "domain", 6),
    ("similar", "domain", 4),
)
_MOST_NODES: Final = 64


def explained(domain: str, score: float, graph: Explanation | None = None) -> Explanation:
    """The fields that every explanation has."""
    action = "block" if score >= BLOCK else "monitor" if score >= MONITOR else "allow"
    common = {
        "domain": domain,
        "status": "ok",
        "seed": 0,
        "model_version": "1",
        "explainer_version": "0.1.0",
        "feature_schema": "6ca07f9f7bf70294",
        "graph_snapshot": "20261125T021500Z-ab12",
        "score": score,
        "name_score": score,
        "action": action,
        "threshold": BLOCK if action == "block" else MONITOR,
        "thresholds": {"monitor": MONITOR, "block": BLOCK},
        "summary": f"{domain} scores {score:.3f}. That is what a person should know of it, in plain sentences.",
        "cost": {"predictor_calls": 3, "rows": 514, "milliseconds": 48.2},
    }
    return common | ({"graph": graph} if graph else {})


def by_contributions(domain: str, gains: list[Gain], graph: Explanation | None = None) -> Explanation:
    """An explanation by Shapley values, from players, their texts and contributions."""
    contributions = [
        {
            "player": player,
            "kind": "neighbour" if " " in player else "name",
            "relation": player.split()[0] if " " in player else None,
            "value": player.split()[-1],
            "text": text,
            "contribution": gain,
        }
        for player, text, gain in sorted(gains, key=lambda each: -abs(each[2]))
    ]
    score = round(math.fsum([BASE, *(gain for _, _, gain in gains)]), 4)
    found = {"method": "shap", "base_value": BASE, "exact": len(gains) <= 10, "contributions": contributions}
    return explained(domain, score, graph) | found


def by_rule(graph: Explanation | None = None) -> Explanation:
    """An explanation by a rule of two conditions, one about a number and one about a neighbour."""
    conditions = [
        {"player": "length", "text": "characters in the label <= 9", "low": None, "high": 9.0, "value": 7.0},
        {
            "player": "resolves 3ffe:b00::66",
            "text": "address 3ffe:b00::66, which 14 names resolve to",
            "low": None,
            "high": None,
            "value": None,
        },
    ]
    found = {"method": "anchor", "rule": conditions, "precision": 0.97, "precision_wanted": 0.95}
    found |= {"coverage": 0.21, "met": True, "truncated": False}
    return explained("new-portal.example", 0.917, graph or typical()["graph"]) | found


def node(label: str, kind: str, *players: str) -> Explanation:
    """A node of an ego-graph."""
    return {"label": label, "type": kind, "players": list(players)}


def edge(source: int, target: int, relation: str) -> Explanation:
    """An edge of an ego-graph."""
    return {"source": source, "target": target, "relation": relation}


def lone(domain: str = "xkqjzvwhpf.top") -> Explanation:
    """A name of which nothing is known."""
    gains = [
        ("letters", f'letters of "{domain}" (11.2 bits of surprise each)', 0.5387),
        ("suffix", 'public suffix ".top", often abused', 0.3791),
        ("words", "0% of the label in dictionary words", -0.0006),
    ]
    return by_contributions(domain, gains, {"nodes": [node(domain, "domain")], "edges": []})


def typical() -> Explanation:
    """A name with four neighbours and six nodes beyond them, one of which two neighbours share."""
    gains = [
        ("resolves 3ffe:b00::66", "address 3ffe:b00::66, which 14 names resolve to", 0.5412),
        ("nameserver ns1.dns.test", "name server ns1.dns.test, which serves 20 names", 0.3104),
        ("resolves 3ffe:db8:85a3::8a2e:370:7334", "address 3ffe:db8:85a3::8a2e:370:7334", 0.093),
        ("similar paypa1.example", "look-alike paypa1.example", -0.0151),
        ("letters", 'letters of "new-portal" (3.1 bits of surprise each)', -0.0512),
        ("suffix", "no listed public suffix", -0.1025),
        ("hyphens", "1 hyphen", 0.0601),
    ]
    nodes = [
        node("new-portal.example", "domain"),
        node("3ffe:b00::66", "ip", "resolves 3ffe:b00::66"),
        node("ns1.dns.test", "nameserver", "nameserver ns1.dns.test"),
        node("3ffe:db8:85a3::8a2e:370:7334", "ip", "resolves 3ffe:db8:85a3::8a2e:370:7334"),
        node("paypa1.example", "domain", "similar paypa1.example"),
        *(node(f"{label}-account.test", "domain") for label in ("paypa1", "secure-mail", "x7", "y8", "z9")),
        node("3ffe:c61::9", "ip"),
    ]
    edges = [edge(0, 1, "resolves"), edge(0, 2, "nameserver"), edge(0, 3, "resolves"), edge(0, 4, "similar")]
    edges += [edge(far, 1, "resolves") for far in range(5, 10)]
    edges += [edge(5, 2, "nameserver"), edge(4, 10, "resolves")]
    return by_contributions("new-portal.example", gains, {"nodes": nodes, "edges": edges})


def rich() -> Explanation:
    """A name with as many neighbours and nodes as a graph may have, the same in every run."""
    drawn = random.Random(7)  # noqa: S311 - a sample, no secret
    nodes, edges = [node("login.secure-portal-account.example", "domain")], []
    gains: list[Gain] = [("letters", 'letters of "secure-portal" (3.8 bits of surprise each)', 0.2911)]
    for relation, kind in ((relation, kind) for relation, kind, most in _CAPS for _ in range(most)):
        place = len(nodes)
        label = (
            f"3ffe:b00::{place}" if kind == "ip" else f"{kind}-{drawn.randrange(10**6)}.hosting-service.test"
        )
        ends = (place, 0) if relation.endswith("_rev") else (0, place)
        nodes.append(node(label, kind, f"{relation} {label}"))
        edges.append(edge(*ends, relation.removesuffix("_rev")))
        text = f"{relation} {label}, which {drawn.randrange(2, 60)} names share"
        gains.append((f"{relation} {label}", text, round(drawn.gauss(0.005, 0.04), 4)))
    for place in range(len(nodes), _MOST_NODES):
        nodes.append(
            node(f"{drawn.choice(('mail', 'bank', 'cdn'))}-{drawn.randrange(10**6)}.example", "domain")
        )
        on = drawn.sample(range(1, 13), drawn.choice((1, 1, 1, 2)))
        edges += [edge(place, each, "resolves" if each <= 8 else "nameserver") for each in on]
    return by_contributions(nodes[0]["label"], gains, {"nodes": nodes, "edges": edges})


def changed(explanation: Explanation, place: str, value: Any) -> Explanation:
    """The same but for one value, at a place such as "graph.edges.0.target"; None takes it away."""
    copy: Any = json.loads(json.dumps(explanation))
    inside = copy
    *way, last = (int(step) if step.isdigit() else step for step in place.split("."))
    for step in way:
        inside = inside[step]
    if value is None:
        del inside[last]
    else:
        inside[last] = value
    return dict(copy)


@dataclass(slots=True)
class Peer:
    """What a peer answers, and what it was asked: path, headers and body."""

    url: str
    status: int = 200
    content: bytes = b""
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    def explains(self, *explanations: Explanation) -> None:
        """Answer explanations from now on."""
        self.status, self.content = 200, json.dumps({"explanations": explanations}).encode()


@contextmanager
def peer() -> Iterator[Peer]:
    """An HTTP server on loopback that answers every POST with the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answering.asked.append(
                (self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            self.send_response(answering.status)
            self.send_header("content-length", str(len(answering.content)))
            self.end_headers()
            self.wfile.write(answering.content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        answering = Peer(f"http://127.0.0.1:{server.server_port}")
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield answering
        finally:
            server.shutdown()
            serving.join()
