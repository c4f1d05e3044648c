"""`python -m tests.chaos.fuzz`: malformed requests over every way in.

Exit status 1 when one was answered 5xx, UNKNOWN or INTERNAL, or a server's memory grew after the first two fifths.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from tests.chaos.fuzz.run import Found, fuzz, targets
from tests.chaos.options import interruptible, positive

MOST_GROWTH = 0.02


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.fuzz", description=(__doc__ or "").strip())
    parser.add_argument("--requests", type=positive(int, 1_000), default=100_000)
    options = parser.parse_args(arguments)
    began_s = time.monotonic()
    with (
        interruptible(),
        tempfile.TemporaryDirectory(prefix="dns-risk-fuzz-") as folder,
        targets(Path(folder)) as ready,
        tqdm(total=options.requests, disable=None, unit="request") as bar,
    ):
        found = fuzz(ready, options.requests, lambda _sent: bar.update() and None)
    sys.stdout.write(report(found) + f"\n{time.monotonic() - began_s:.0f} s\n")
    return 1 if found.failures or max(found.growth.values()) > MOST_GROWTH else 0


def report(found: Found) -> str:
    """For people."""
    lines = [f"{found.requests:,} requests, {len(found.failures)} kinds of wrong answers"]
    lines += [
        f"{name}: {found.memory_mib[name]:.0f} MiB, grew by {100 * share:+.2f} % after warm-up"
        for name, share in found.growth.items()
    ]
    return "\n".join(lines + found.failures)


if __name__ == "__main__":
    sys.exit(main())
