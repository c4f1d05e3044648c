"""What a fault is injected into: a system under load, and the answers that are right."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.outcomes import Row
from tests.chaos.system import System
from tests.chaos.worlds import World
from tests.services import SAMPLE, SHIPPED_MODEL, import_passive_dns
from tests.serving.server_process import ServerProcess

# Beside names of the graph, such as it does not know, of every kind that is scored.
_UNKNOWN = (
    "never-seen.test",
    "xkqzjwvbnrt.top",
    "paypa1-login.top",
    "a.co.uk",
    "xn--bcher-kva.example",
    "x" * 60 + ".info",
    "_dmarc.example.org",
)
KNOWN_NAMES = 25


@dataclass(frozen=True)
class Truth:
    """Right answers of one snapshot and one model: the files, or the directory, that lead to them."""

    name: str
    version: str
    rows: Mapping[str, Row]
    sources: Sequence[Path] = (SAMPLE,)
    model_dir: Path = SHIPPED_MODEL


@dataclass
class Scene:
    """One system, what it should say now, and what it could be made to say.

    Fields:
        truths      the one that is served, and those that can be swapped in
        stand_ins   servers to put in the predictor's place, by name
        frozen_s    how long a process is stopped
        clock       where the offset of a faked clock is written
        turn        counts injections of all faults
    """

    system: System
    folder: Path
    truths: list[Truth]
    frozen_s: float
    stand_ins: Mapping[str, ServerProcess] = field(default_factory=dict)
    clock: Path | None = None
    worlds: list[World] = field(default_factory=list)
    turn: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.worlds.append(World(self.truths[0].version, self.truths[0].rows))

    @property
    def world(self) -> World:
        """What the system should say now."""
        return self.worlds[-1]

    @property
    def other(self) -> Truth:
        """What can be swapped in next."""
        return self.truths[1]

    def swap_begins(self) -> None:
        """From now on the other answers are right as well."""
        self.truths.append(self.truths.pop(0))
        now = self.truths[0]
        self.worlds.append(World(now.version, now.rows, began_s=time.monotonic()))

    def swap_ends(self) -> None:
        """From now on those before are wrong."""
        self.worlds[-2].ended_s = time.monotonic()


def names() -> list[str]:
    """What callers ask for."""
    lines = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    known = dict.fromkeys(line["rrname"].rstrip(".") for line in lines)
    return [*itertools.islice(known, KNOWN_NAMES), *_UNKNOWN]


def write_more_records(path: Path) -> Path:
    """Passive DNS that gives each name further addresses, so that other scores follow."""
    records = [
        {"rrname": name, "rrtype": "A", "rdata": f"11.51.100.{host}", "time_first": 1, "time_last": 2}
        for name in names()
        for host in range(1, 30)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def fill(store: Path, truth_sources: Sequence[Path]) -> None:
    """Import, as users do."""
    import_passive_dns(store, *truth_sources)
