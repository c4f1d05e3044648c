"""The limits: the model without a server, and the generator without a model."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import torch

from contract.graphs import DomainGraphs
from load_tests.bench.bench import Bench
from load_tests.bench.loads import closed
from load_tests.bench.machine import pin
from load_tests.bench.options import BATCHES
from load_tests.bench.services import GENERATOR_CORE, SERVER_CORE, Server, trivial_server
from load_tests.graph_messages import joined
from predictor.checkpoint import load
from predictor.scorer import Scorer, choose_device, host_tensors

_IN_FLIGHT: Final = 64


def bare_name(batch: int) -> str:
    """Under which name the bare model's graphs a second stand."""
    return f"bare/{batch} graphs"


def reference_name(batch: int) -> str:
    """Under which name the graphs a second of the model as PyG runs it stand."""
    return f"reference/{batch} graphs"


def generator_name(graphs: int) -> str:
    """Under which name the generator's own limit stands, in requests a second."""
    return f"generator/{graphs} graphs"


def measure(bench: Bench) -> None:
    """Both limits.

    Raises:
        UnusableCheckpoint: no model to measure.
    """
    _bare(bench)
    for graphs in bench.options.graphs:
        with trivial_server(graphs) as server:
            bench.in_turn({"generator": server}, partial(_generator, bench, graphs))


def _generator(bench: Bench, graphs: int, _variant: str, server: Server) -> None:
    requests = bench.requests("grpc", graphs)
    bench.count(
        generator_name(graphs), closed(server, "grpc", requests, _IN_FLIGHT, bench.options.seconds), graphs
    )


def _bare(bench: Bench) -> None:
    torch.set_num_threads(1)
    model, _ = load(bench.options.model_dir)
    scorer = Scorer(model, choose_device("auto"))
    # Where the servers run, so that both have the same core.
    pin(0, SERVER_CORE)
    try:
        for _ in range(bench.options.repeats):
            for size in BATCHES:
                batches = joined(bench.singles, size)
                for name, score in (
                    (bare_name(size), lambda batch: scorer.launch([batch]).result()),
                    (reference_name(size), lambda batch: model.scores(host_tensors(batch))),
                ):
                    bench.figures.add(name, graphs_per_second(score, batches, bench.options.seconds))
                bench.progress.update()
    finally:
        pin(0, GENERATOR_CORE)


def graphs_per_second(
    score: Callable[[DomainGraphs], object], batches: list[DomainGraphs], seconds: float
) -> float:
    """Joined batches in this process, without any protocol; the first one warms up and does not count."""
    score(batches[0])
    done, started = 0, time.perf_counter()
    for batch in itertools.cycle(batches):
        score(batch)
        done += batch.graph_count
        if time.perf_counter() - started > seconds:
            break
    return done / (time.perf_counter() - started)
