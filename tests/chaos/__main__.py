"""`make chaos`: inject faults into real services under load, and count what callers saw.

Exit status 1 when a promise was broken: a wrong score, a caller that hung, an accepted request lost on a graceful stop,
or more than a second until all was well again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from tests.chaos.catalogue import FAULTS
from tests.chaos.options import interruptible, positive
from tests.chaos.promises import table
from tests.chaos.run import Options, inject_all

SHORT = Options(times=1, frozen_s=1.5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the result is the exit status."""
    given = _parse(arguments)
    options = SHORT if given.short else Options(given.times, given.frozen, given.rate)
    faults = [fault for fault in FAULTS if fault.name in (given.only or _NAMES)]
    began_s = time.monotonic()
    with interruptible(), _folder(given.folder) as folder:
        counts = inject_all(faults, options, folder, progress(len(faults) * options.times))
    sys.stdout.write(f"\n{table(counts)}\n\n{time.monotonic() - began_s:.0f} s\n")
    broken = [f"broken: {one.fault}: {what}\n" for one in counts for what in one.broken() + one.slow()]
    sys.stderr.write("".join(broken))
    return 1 if broken else 0


_NAMES = [fault.name for fault in FAULTS]


def progress(steps: int) -> Callable[[str], None]:
    """A bar on a terminal; lines with the time elsewhere."""
    if not sys.stderr.isatty():
        return lambda line: print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)  # noqa: T201
    bar = tqdm(total=steps, leave=False)

    def show(line: str) -> None:
        bar.set_description(line)
        bar.update("/" in line)

    return show


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """Where everything is written: one that is given stays."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="dns-risk-chaos-") as folder:
        yield Path(folder)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=(__doc__ or "").strip())
    parser.add_argument("--short", action="store_true", help="each fault once and quickly, as CI does")
    parser.add_argument("--only", nargs="+", choices=_NAMES, metavar="NAME", help=", ".join(_NAMES))
    parser.add_argument(
        "--times", type=positive(int, 1), default=20, help="how often each fault is injected (20)"
    )
    parser.add_argument(
        "--frozen", type=positive(float, 0.1), default=5.0, help="seconds that a process is frozen (5)"
    )
    parser.add_argument(
        "--rate", type=positive(float, 0.1), default=60.0, help="requests a second over each protocol (60)"
    )
    parser.add_argument("--folder", type=Path, help="where each request's outcome is written and stays")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
