"""`python -m rollout feedback`: names that analysts labelled, scored by both versions, as metrics.

A model's precision is seen in no counter of the services: they do not know who was right.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
from prometheus_client import Counter, start_http_server

HELP: Final = "score labelled names by both versions, and export what was blocked"
LABELS: Final = ("malicious", "benign")
# The transformer's default limit of names in a request.
_BATCH: Final = 256
_REFUSED: Final = 2


class UnusableFeedback(Exception):
    """A line of the file is not what it should be."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add("file", type=Path, help='JSON lines of {"domain": …, "answers": …, "label": "malicious" or "benign"}')
    add("--stable", required=True, help="URL of the stable version's transformer")
    add("--canary", required=True, help="URL of the canary's transformer")
    add("--name", default="dns-risk", help="the stable InferenceService, as in the label isvc")
    add("--port", type=int, default=9109, help="of /metrics")
    add("--host", default="127.0.0.1")
    add("--every", type=float, default=60.0, help="seconds between rounds over the file")
    add("--rounds", type=int, default=0, help="rounds after which it ends; 0: none")


def serve(options: Any) -> int:
    """Score the file round after round, and export `dns_risk_feedback_total`; the exit status."""
    try:
        rows = list(read_feedback(options.file))
    except (OSError, UnusableFeedback) as error:
        print(error, file=sys.stderr)
        return _REFUSED
    counter = Counter(
        "dns_risk_feedback", "Labelled names by the action that was given.", ("isvc", "action", "label")
    )
    start_http_server(options.port, options.host)
    versions = {options.name: options.stable, f"{options.name}-canary": options.canary}
    rounds = 0
    while not options.rounds or rounds < options.rounds:
        for isvc, url in versions.items():
            _count(counter, isvc, url, rows)
        rounds += 1
        time.sleep(options.every)
    return 0


def _count(counter: Counter, isvc: str, url: str, rows: Sequence[Mapping[str, str]]) -> None:
    try:
        tally = Tally(zip(actions_of(url, rows), (row["label"] for row in rows), strict=True))
    except httpx.HTTPError as error:
        # One version that is away must not end the feedback of the other.
        print(f"{isvc} was not asked: {error}", file=sys.stderr)
        return
    for (action, label), count in tally.items():
        counter.labels(isvc, action, label).inc(count)


def read_feedback(path: Path) -> Iterator[dict[str, str]]:
    """The labelled names.

    Raises:
        UnusableFeedback: a line that is no such object, with its number.
    """
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            row = json.loads(line)
            domain, label = str(row["domain"]), row["label"]
        except (ValueError, KeyError, TypeError):
            raise UnusableFeedback(f"{path}:{number}: expected an object with domain and label") from None
        if label not in LABELS:
            raise UnusableFeedback(f"{path}:{number}: label is one of {LABELS}, got {label!r}")
        yield {"domain": domain, "answers": str(row.get("answers", "")), "label": label}


def actions_of(url: str, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The action that a version gives each name.

    Raises:
        httpx.HTTPError: it is away or refuses.
    """
    found: list[str] = []
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        inputs = [
            {"name": name, "datatype": "BYTES", "shape": [len(part)], "data": [row[name] for row in part]}
            for name in ("domain", "answers")
        ]
        answer = httpx.post(f"{url}/v2/models/dns-risk/infer", json={"inputs": inputs}, timeout=30.0)
        answer.raise_for_status()
        outputs = {output["name"]: output["data"] for output in answer.json()["outputs"]}
        found += outputs["action"]
    return found
