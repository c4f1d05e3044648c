"""`python -m tests.chaos.soak`: steady traffic over both protocols, every answer compared, memory fitted by a line.

Exit status 1 when a score was wrong, a request failed, or a server's memory grew by more than 2 % an hour after warm-up.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from tests.chaos.memory import MIB, growth, rss_bytes
from tests.chaos.options import interruptible, positive
from tests.chaos.outcomes import read_outcomes
from tests.chaos.promises import Counts, Promise
from tests.chaos.scene import fill, names
from tests.chaos.standby import Standbys
from tests.chaos.system import Shape, System, ask_alone, traffic
from tests.chaos.worlds import World
from tests.services import SAMPLE
from tests.serving.server_process import REPOSITORY

MOST_GROWTH_AN_HOUR = 0.02
HOUR_S = 3600.0
# Caches fill, allocators learn: the first third does not count.
WARM_SHARE = 1 / 3
SAMPLE_S = 1.0
WIDEN_S = 60.0
_PATIENT = Shape(default_s=10.0, deadlines=(10.0,))


@dataclass
class Soaked:
    """What callers saw, and memory by service: seconds and bytes after warm-up."""

    counts: Counts
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def growth_an_hour(self) -> dict[str, float]:
        """By service, as a share."""
        return {name: growth(points, HOUR_S) for name, points in self.memory.items()}

    def broken(self) -> list[str]:
        """The promises that were not kept."""
        grown = [
            f"the {name}'s memory grew by {100 * share:.1f} % an hour"
            for name, share in self.growth_an_hour().items()
            if share > MOST_GROWTH_AN_HOUR
        ]
        return self.counts.broken() + grown


def soak(seconds: float, rate: float, folder: Path, show: Callable[[float], None]) -> Soaked:
    """Traffic for so long; `show` is told how many seconds have passed."""
    fill(folder / "store", [SAMPLE])
    with ExitStack() as stack:
        standbys = Standbys(folder, 0)
        stack.callback(standbys.stop)
        system = System(_PATIENT, folder / "soak", folder / "store", standbys, stack)
        system.wait_until_up()
        version, rows = ask_alone(system.rest_port, names())
        _widen(system.predictors[0].grpc_target, min(WIDEN_S, seconds / 10))
        soaked = Soaked(Counts("soak", Promise(frozenset(), graceful=True), times=1))
        with traffic(system, names(), rate) as record:
            soaked.memory = _watch(system, seconds, show)
        outcomes = read_outcomes(record.read_text().splitlines(keepends=True))
        soaked.counts.count(outcomes, [World(version, rows)])
    return soaked


def _widen(target: str, seconds: float) -> None:
    """As much at a time as a predictor takes, so that its allocator has seen the worst before memory is watched.

    Heaps grow by each largest moment so far; in traffic of 120 requests a second such moments still come after half
    an hour, and would look like a leak of 5 % an hour. After this, 67,000 requests added nothing.
    """
    command = [
        sys.executable,
        "-m",
        "load_tests.generator",
        target,
        "--in_flight",
        "64",
        "--seconds",
        str(seconds),
    ]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)


def _watch(
    system: System, seconds: float, show: Callable[[float], None]
) -> dict[str, list[tuple[float, float]]]:
    watched = {"predictor": system.predictors[0], "transformer": system.transformers[0]}
    points: dict[str, list[tuple[float, float]]] = {name: [] for name in watched}
    began_s = time.monotonic()
    while (passed_s := time.monotonic() - began_s) < seconds:
        show(passed_s)
        if passed_s > WARM_SHARE * seconds:
            for name, process in watched.items():
                points[name].append((passed_s, rss_bytes(process.process.pid)))
        time.sleep(SAMPLE_S)
    return points


def report(soaked: Soaked) -> str:
    """For people."""
    counts = soaked.counts
    lines = [f"{counts.requests:,} requests, {counts.ok:,} right, {counts.wrong} wrong, {counts.lost} failed"]
    for name, share in soaked.growth_an_hour().items():
        lines.append(
            f"{name}: {soaked.memory[name][-1][1] / MIB:.0f} MiB, {100 * share:+.2f} % an hour after warm-up"
        )
    return "\n".join(lines + [f"broken: {what}" for what in soaked.broken()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what came of it; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=(__doc__ or "").strip())
    parser.add_argument("--minutes", type=positive(float, 0.2), default=30.0)
    parser.add_argument(
        "--rate", type=positive(float, 0.1), default=60.0, help="requests a second over each protocol (60)"
    )
    options = parser.parse_args(arguments)
    seconds = 60 * options.minutes
    with interruptible(), tempfile.TemporaryDirectory(prefix="dns-risk-soak-") as folder:
        bar = tqdm(total=round(seconds), disable=None, unit="s")
        soaked = soak(
            seconds, options.rate, Path(folder), lambda passed_s: bar.update(passed_s - bar.n) and None
        )
        bar.close()
        sys.stdout.write(report(soaked) + "\n")
        return 1 if soaked.broken() else 0


if __name__ == "__main__":
    sys.exit(main())
