"""How close the predictor comes to its bare model, and what joining requests is worth.

    python -m load_tests.bench_predictor [--model_dir DIR] [--seconds 4] [--repeats 3]

Prints ratios of one run: gRPC with 32 graphs a request ÷ the model on the same joined batches in this
process; 64 requests of one graph in flight with joining ÷ without. tritonclient's stubs, no REST.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
import torch
from tqdm import tqdm
from tritonclient.grpc import service_pb2, service_pb2_grpc

from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import GRAPH_INPUTS, DomainGraphs, union
from contract.tensors import RISK_MODEL, SCHEMA_PARAMETER
from inference_services.processes import HOST, free_ports, start, wait_until_ready
from load_tests.sample_graphs import sample_graphs
from predictor.checkpoint import load
from predictor.scorer import Scorer, choose_device

GRAPHS_A_REQUEST: Final = 32
REQUESTS_IN_FLIGHT: Final = 8
SINGLES_IN_FLIGHT: Final = 64
AIM_OF_BARE: Final = 0.85
AIM_OF_JOINING: Final = 4.0


def request_of(graphs: DomainGraphs) -> Any:
    """The v2 message of a batch, as the transformer sends it."""
    arrays = graphs.tensors()
    message = service_pb2.ModelInferRequest(model_name=RISK_MODEL)
    for spec in GRAPH_INPUTS:
        message.inputs.add(name=spec.name, datatype=spec.datatype, shape=arrays[spec.name].shape)
        message.raw_input_contents.append(arrays[spec.name].tobytes())
    message.parameters[SCHEMA_PARAMETER].string_param = FEATURE_SCHEMA
    return message


def bare_graphs_per_second(scorer: Scorer, batches: list[DomainGraphs], seconds: float) -> float:
    """The limit: the model on joined batches in this process, without any protocol."""
    done, end = 0, time.perf_counter() + seconds
    started = time.perf_counter()
    for batch in itertools.cycle(batches):
        scorer.launch([batch]).result()
        done += batch.graph_count
        if time.perf_counter() > end:
            return done / (time.perf_counter() - started)
    raise AssertionError("a cycle does not end. This is a bug.")


async def served_graphs_per_second(port: int, messages: list[Any], in_flight: int, seconds: float) -> float:
    """Closed loop over gRPC: each of `in_flight` callers sends its next request when answered."""
    async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        supply = itertools.cycle(messages)
        end = time.perf_counter() + seconds
        started = time.perf_counter()
        done = await asyncio.gather(*(_caller(stub, supply, end) for _ in range(in_flight)))
        return sum(done) / (time.perf_counter() - started)


async def _caller(stub: Any, supply: Iterator[Any], end: float) -> int:
    done = 0
    while time.perf_counter() < end:
        answer = await stub.ModelInfer(next(supply))
        done += answer.outputs[0].shape[0]
    return done


@contextmanager
def predictor(model_dir: Path, **settings: object) -> Iterator[int]:
    """A predictor process of one torch thread; gives its gRPC port."""
    rest_port, grpc_port = free_ports(2)
    own = {"host": HOST, "log_level": "WARNING", "model_dir": model_dir, "torch_threads": 1, **settings}
    service = start("predictor", rest_port, grpc_port, own)
    try:
        wait_until_ready([service])
        yield grpc_port
    finally:
        service.stop()


def median_of(measure: Callable[[], float], repeats: int, what: str) -> float:
    """The median of repeated measurements, after one to warm up."""
    measure()
    return statistics.median(measure() for _ in tqdm(range(repeats), desc=what, disable=None, leave=False))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="predictor throughput as ratios of one run")
    parser.add_argument("--model_dir", type=Path, default=Path("models/dns-risk/1"))
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    singles = sample_graphs(1024)
    batches = [union(list(part)) for part in _chunks(singles, GRAPHS_A_REQUEST)]
    _describe(singles)
    bare = _bare(options, batches)
    joined = _served(options, [request_of(batch) for batch in batches], REQUESTS_IN_FLIGHT)
    messages = [request_of(single) for single in singles]
    together = _served(options, messages, SINGLES_IN_FLIGHT)
    alone = _served(options, messages, SINGLES_IN_FLIGHT, max_batch_graphs=1, max_queue_batches=256)
    print(f"bare model, {GRAPHS_A_REQUEST} graphs a batch        {bare:9,.0f} graphs/s")
    print(f"gRPC, {GRAPHS_A_REQUEST} graphs a request           {joined:9,.0f} graphs/s")
    print(f"  ÷ bare model                       {joined / bare:9.2f}   (aim ≥ {AIM_OF_BARE})")
    print(f"gRPC, 1 graph, {SINGLES_IN_FLIGHT} in flight, joined     {together:9,.0f} graphs/s")
    print(f"gRPC, 1 graph, {SINGLES_IN_FLIGHT} in flight, unjoined   {alone:9,.0f} graphs/s")
    print(f"  joined ÷ unjoined                  {together / alone:9.2f}   (aim ≥ {AIM_OF_JOINING})")


def _bare(options: argparse.Namespace, batches: list[DomainGraphs]) -> float:
    model, _ = load(options.model_dir)
    scorer = Scorer(model, choose_device("auto"))
    return median_of(
        lambda: bare_graphs_per_second(scorer, batches, options.seconds), options.repeats, "bare model"
    )


def _served(options: argparse.Namespace, messages: list[Any], in_flight: int, **settings: object) -> float:
    with predictor(options.model_dir, **settings) as port:
        return median_of(
            lambda: asyncio.run(served_graphs_per_second(port, messages, in_flight, options.seconds)),
            options.repeats,
            f"gRPC, {in_flight} in flight",
        )


def _chunks(graphs: list[DomainGraphs], size: int) -> Iterator[list[DomainGraphs]]:
    for first in range(0, len(graphs), size):
        yield graphs[first : first + size]


def _describe(graphs: list[DomainGraphs]) -> None:
    nodes = np.array([graph.node_count for graph in graphs])
    edges = np.array([graph.edge_count for graph in graphs])
    print(
        f"{len(graphs)} ego-graphs: {np.median(nodes):.0f} nodes in the median "
        f"({nodes.min()}-{nodes.max()}), {np.median(edges):.0f} edges; one torch thread"
    )


if __name__ == "__main__":
    main()
