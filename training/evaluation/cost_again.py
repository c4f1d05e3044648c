"""Measure what versions cost side by side, and put it into their reports: ratios are of one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from contract.graphs import DomainGraphs
from training.batches import take
from training.data import GRAPH_EDGES, GRAPH_NODES, read_graph
from training.evaluation import report as reports
from training.evaluation.cost import ROUNDS, machine, microseconds_per_graph
from training.pools import graph_pool

# As the predictor joins them.
GRAPHS_A_BATCH: Final = 256


def measure_again(data: Path, directories: Sequence[Path]) -> dict[Path, float]:
    """Microseconds per graph of each version, the quickest of rounds in turn; their reports get them.

    Raises:
        UnusableData: the labelled graph is missing.
        UnusableReport: a version has not been evaluated.
    """
    found = {directory: reports.read(directory) for directory in directories}
    batches = _batches(data)
    costs = dict.fromkeys(directories, float("inf"))
    for _ in range(ROUNDS):
        for directory in directories:
            costs[directory] = min(costs[directory], microseconds_per_graph(directory, batches, rounds=1))
    for directory, report in found.items():
        again = {"machine": machine(), "microseconds_per_graph": round(costs[directory], 3)}
        cost = report.cost.model_copy(update=again)
        reports.write(report.model_copy(update={"cost": cost}), directory)
    return costs


def _batches(data: Path) -> list[DomainGraphs]:
    graphs = graph_pool(read_graph(data / GRAPH_NODES, data / GRAPH_EDGES))[0].graphs
    rows = np.arange(graphs.graph_count)
    return [take(graphs, rows[first : first + GRAPHS_A_BATCH]) for first in rows[::GRAPHS_A_BATCH]]
