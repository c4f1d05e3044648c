"""Names through transformer and predictor: how many a second, and what they cost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from load_tests.bench.bench import Bench
from load_tests.bench.loads import closed
from load_tests.bench.services import Server, predictor, transformer
from load_tests.bench.usage import usage_of
from load_tests.bench_features import EDGES_PER_DOMAIN, build, synthetic_name
from load_tests.name_messages import grpc_of_names, json_of_names
from load_tests.sample_graphs import STORE_EDGES

PROTOCOLS: Final = {"grpc": grpc_of_names, "json": json_of_names}
# Names a request -> requests in flight.
IN_FLIGHT: Final = {1: 64, 256: 8}
_SAMPLE: Final = 4096


def names_name(variant: str, protocol: str, names: int, figure: str) -> str:
    """Under which name a figure of names stands.

    >>> names_name("ours", "grpc", 256, "names a second")
    'ours/grpc/256 names/names a second'
    """
    return f"{variant}/{protocol}/{names} names/{figure}"


def memory_name(variant: str, process: str) -> str:
    """Under which name the largest resident memory of a process stands, in MiB.

    >>> memory_name("ours", "predictor")
    'ours/memory/predictor'
    """
    return f"{variant}/memory/{process}"


def measure(bench: Bench) -> None:
    """Single names and batches over both protocols.

    Raises:
        ServiceFailed: a service ended or was not ready in time.
    """
    with _services(bench) as servers:
        for protocol in PROTOCOLS:
            for size in IN_FLIGHT:
                bench.in_turn(servers, partial(_point, bench, protocol, size, _requests(protocol, size)))
        for variant, server in servers.items():
            for process, number in server.processes.items():
                bench.figures.add(memory_name(variant, process), usage_of(number).peak_mib)


def _requests(protocol: str, size: int) -> list[Any]:
    known = int(STORE_EDGES / EDGES_PER_DOMAIN)
    names = [
        synthetic_name(number) for number in np.random.default_rng(2).integers(0, known, _SAMPLE).tolist()
    ]
    return [
        PROTOCOLS[protocol](names[first : first + size], "transformer") for first in range(0, _SAMPLE, size)
    ]


@contextmanager
def _services(bench: Bench) -> Iterator[Mapping[str, Server]]:
    with ExitStack() as stack:
        store = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        build(store, STORE_EDGES)
        servers = {}
        for variant, settings in bench.options.variants.items():
            behind = stack.enter_context(predictor(bench.options.model_dir, settings))
            servers[variant] = stack.enter_context(transformer(behind, store, settings))
        yield servers


def _point(bench: Bench, protocol: str, size: int, requests: list[Any], variant: str, server: Server) -> None:
    before = {process: usage_of(number) for process, number in server.processes.items()}
    tally = closed(server, protocol, requests, IN_FLIGHT[size], bench.options.seconds)
    bench.count(names_name(variant, protocol, size, "names a second"), tally, size)
    if not tally.good:
        return
    for process, number in server.processes.items():
        cpu_s = usage_of(number).cpu_s - before[process].cpu_s
        name = names_name(variant, protocol, size, f"CPU s of the {process} a 1,000")
        bench.figures.add(name, cpu_s * 1000 / (tally.good * size))
