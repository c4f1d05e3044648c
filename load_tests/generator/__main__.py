"""Graphs at a running predictor, or at the trivial server: `python -m load_tests.generator --help`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import uvloop

from contract.graphs import DomainGraphs
from load_tests.generator.connecting import connected
from load_tests.generator.loops import closed_loop, open_loop
from load_tests.generator.tally import Tally
from load_tests.graph_messages import binary_of, grpc_of, joined, json_of
from load_tests.sample_graphs import sample_graphs

_SAMPLE: Final = 1024
_OF_PROTOCOL: Final[dict[str, Callable[[DomainGraphs, str], Any]]] = {
    "grpc": grpc_of,
    "json": json_of,
    "binary": binary_of,
}


async def load(options: argparse.Namespace, requests: list[Any]) -> Tally:
    """One load as the options say."""
    # HTTP/1.1 has one request on a connection at a time.
    count = options.connections if options.protocol == "grpc" else options.in_flight
    async with connected(options.protocol, options.target, count) as connections:
        if options.rate:
            return await open_loop(connections, requests, options.rate, options.seconds)
        return await closed_loop(connections, requests, options.in_flight, options.seconds)


def _target(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST:PORT")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="graphs at a running predictor")
    parser.add_argument("target", type=_target, metavar="HOST:PORT")
    parser.add_argument("--protocol", choices=sorted(_OF_PROTOCOL), default="grpc")
    parser.add_argument("--graphs", type=int, default=1, help="graphs a request")
    parser.add_argument("--in_flight", type=int, default=64, help="closed loop: callers")
    parser.add_argument("--rate", type=float, default=0.0, help="open loop: requests a second")
    parser.add_argument("--connections", type=int, default=4, help="connections of gRPC")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--core", type=int, help="core to stay on")
    parser.add_argument("--loops", type=int, default=1, help="repeats")
    return parser


def main() -> int:
    """Measure and print; the result is the exit status, 1 where any request failed."""
    options = _parser().parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    batches = joined(sample_graphs(_SAMPLE), options.graphs)
    make = _OF_PROTOCOL[options.protocol]
    requests = [make(batch, options.target) for batch in batches]
    failed = False
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(options.loops):
            try:
                tally = runner.run(load(options, requests))
            except OSError as error:
                raise SystemExit(f"{options.target}: {error}") from None
            failed = failed or bool(tally.failures)
            print(f"{tally.per_second * options.graphs:,.0f} graphs/s, {tally.describe()}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
