"""`python -m training`: train a version, evaluate it, check its explanations, judge it, track it."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from training.registry import command as registry


def main(arguments: list[str]) -> int:
    """Run one command; the result is the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if arguments[:1] in (["track"], ["registry"]):
        parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
        registry.add_commands(parser.add_subparsers(required=True))
        options = parser.parse_args(arguments)
        return int(options.run(options))
    # Seconds to import: a registry that is away is told before them.
    from training import commands  # noqa: PLC0415

    return commands.run(arguments, default_data())


def default_data() -> Path:
    """Where the labelled data lies: $DNS_RISK_SHARED/data, else ../shared/data."""
    return Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "data"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
