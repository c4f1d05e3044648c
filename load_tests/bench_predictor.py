"""The table that users decide by: how fast the services are, as ratios of one run.

    python -m load_tests.bench_predictor [--quick] [--parts predictor,names] [--server NAME=VALUE]
        [--compare NAME=A,B] [--json FILE] [--markdown FILE]

The server has one core and the generator another, where there are two. docs/performance.md explains every
figure.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from inference_services.processes import ServiceFailed
from load_tests.bench import limit, names, served
from load_tests.bench.bench import Bench
from load_tests.bench.machine import describe, pin
from load_tests.bench.options import Options, UnusableOption, read_options
from load_tests.bench.render import markdown, plain, renewed
from load_tests.bench.services import GENERATOR_CORE
from load_tests.bench.tables import tables
from predictor.checkpoint import UnusableCheckpoint

_SERVED = {"predictor", "joining", "latency", "profile"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write; the result is the exit status, 1 where any request failed."""
    try:
        options = read_options(arguments)
        bench = measured(options)
    except (UnusableOption, UnusableCheckpoint, ServiceFailed, OSError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    finished = tables(bench.figures, options)
    print(plain(finished))
    for what, count in bench.figures.failures.items():
        print(f"failed: {count} x {what}", file=sys.stderr)
    write(bench, options)
    return 1 if bench.figures.failures else 0


def measured(options: Options) -> Bench:
    """The figures of every part that was asked for."""
    pin(0, GENERATOR_CORE)
    bench = Bench(options)
    parts = set(options.parts)
    with bench.progress:
        if "limit" in parts:
            limit.measure(bench)
        if parts & _SERVED:
            served.measure(bench)
        if "names" in parts:
            names.measure(bench)
    return bench


def measured_on(options: Options) -> str:
    """Machine, date and effort, in one paragraph."""
    machine = describe()
    return (
        f"Measured on {machine['date']}: {machine['processor']}, {machine['cores']} cores; "
        f"{machine['software']}. Medians of {options.repeats} x {options.seconds:g} s."
    )


def write(bench: Bench, options: Options) -> None:
    """The files that were asked for."""
    if options.markdown:
        page = options.markdown.read_text(encoding="utf-8") if options.markdown.exists() else ""
        figures = f"{measured_on(options)}\n\n{markdown(tables(bench.figures, options))}"
        options.markdown.write_text(renewed(page, figures), encoding="utf-8")
    if options.json:
        document = {
            "machine": describe(),
            "options": {
                "seconds": options.seconds,
                "repeats": options.repeats,
                "parts": options.parts,
                "variants": options.variants,
            },
            "figures": bench.figures.repeats,
            "failures": bench.figures.failures,
        }
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
