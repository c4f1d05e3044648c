"""Measure what versions cost side by side, and put it into their reports: ratios are of one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from contract.graphs import split
from training.data import GRAPH_EDGES, GRAPH_NODES, read_graph
from training.evaluation import report as reports
from training.evaluation.cost import machine, microseconds_per_graph
from training.pools import graph_pool
from training.served import request_sizes


def measure_again(data: Path, directories: Sequence[Path]) -> dict[Path, float]:
    """Microseconds per graph of each version, measured in turn; their reports get them.

    Raises:
        UnusableData: the labelled graph is missing.
        UnusableReport: a version has not been evaluated.
    """
    found = {directory: reports.read(directory) for directory in directories}
    graphs = graph_pool(read_graph(data / GRAPH_NODES, data / GRAPH_EDGES))[0].graphs
    batches = split(graphs, request_sizes(graphs.graph_count))
    costs = dict(zip(directories, microseconds_per_graph(directories, batches), strict=True))
    for directory, report in found.items():
        again = {"machine": machine(), "microseconds_per_graph": round(costs[directory], 3)}
        cost = report.cost.model_copy(update=again)
        reports.write(report.model_copy(update={"cost": cost}), directory)
    return costs
