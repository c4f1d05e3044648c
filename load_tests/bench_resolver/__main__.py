"""What the sidecar can take, and what it and its plugins cost a resolver.

    python -m load_tests.bench_resolver [--quick] [--parts dnstap,cache,zone,cost,block] [--json FILE]

Parts with resolvers measure those that are installed. Compare ratios of one run; the machine's other work is
in every figure.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tqdm import tqdm

from load_tests.bench.machine import describe
from load_tests.bench_resolver.figures import Figure, table
from load_tests.bench_resolver.resolver_parts import first_block, with_and_without
from load_tests.bench_resolver.sidecar_parts import cache_memory, dnstap_rows, rpz_transfer

PARTS: Final[dict[str, Callable[[bool], Iterator[Figure]]]] = {
    "dnstap": dnstap_rows,
    "cache": cache_memory,
    "zone": rpz_transfer,
    "cost": with_and_without,
    "block": first_block,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the result is the exit status."""
    given = _parser().parse_args(arguments)
    parts = given.parts.split(",")
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        print(f"no part {', '.join(unknown)}: there are {', '.join(PARTS)}", file=sys.stderr)
        return 1
    figures: list[Figure] = []
    for part in (bar := tqdm(parts, unit="part", disable=None)):
        bar.set_description(part)
        figures.extend(PARTS[part](given.quick))
    machine = describe()
    print(f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {machine['software']}\n")
    print(table(figures))
    if given.json is not None:
        document = {"machine": machine, "figures": [figure._asdict() for figure in figures]}
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.bench_resolver", description="what the sidecar takes and costs"
    )
    parser.add_argument("--quick", action="store_true", help="a fraction of the work: does it run at all?")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"some of {','.join(PARTS)} (default all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
