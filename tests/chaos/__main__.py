"""`make chaos`: inject faults into real services under load, and count what callers saw.

    python -m tests.chaos [--times 20] [--only NAME …]

Exit status 1 when a promise was broken: a wrong score, a caller that hung, a request lost on a graceful stop.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.promises import Report, report, table
from tests.chaos.system import NAMES, System, system
from tests.chaos.traffic import Traffic

# Requests before and after a fault show that all was well and is again.
_CALM_S = 0.5


def inject(fault: Fault, running: System, times: int) -> Report:
    """One fault, several times under one stream of requests.

    Raises:
        AssertionError: the system did not do what the fault itself asks of it.
    """
    right = [running.scores()]
    traffic = Traffic(running.rest_port, running.grpc_port, NAMES)
    traffic.start()
    longest_s = 0.0
    try:
        for _ in range(times):
            time.sleep(_CALM_S)
            fault.inject(running, traffic)
            longest_s = max(longest_s, running.wait_until_well())
            right.append(running.scores())
        time.sleep(_CALM_S)
    finally:
        traffic.stop()
    by_name = {name: [scores[name] for scores in right] for name in NAMES}
    return report(fault.name, times, traffic.outcomes, by_name, longest_s, graceful=fault.graceful)


def inject_all(faults: Sequence[Fault], times: int) -> list[Report]:
    """Every fault, those of one shape of the system on one system."""
    reports = []
    bar = tqdm(total=len(faults), desc="faults", disable=None, leave=False)
    for replicas in sorted({fault.replicas for fault in faults}):
        with tempfile.TemporaryDirectory() as folder, system(Path(folder), replicas=replicas) as running:
            for fault in faults:
                if fault.replicas == replicas:
                    reports.append(inject(fault, running, times))
                    bar.update()
    bar.close()
    return reports


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the result is the exit status."""
    names = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--times", type=int, default=20, help="how often each fault is injected (default 20)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    options = parser.parse_args(arguments)
    reports = inject_all([fault for fault in FAULTS if fault.name in options.only], options.times)
    print(table(reports))  # noqa: T201 - a command prints for people
    broken = [f"{one.fault}: {', '.join(one.broken)}" for one in reports if one.broken]
    for line in broken:
        print(f"broken: {line}", file=sys.stderr)  # noqa: T201
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
