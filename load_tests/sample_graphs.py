"""Ego-graphs to measure with: cut by the transformer out of a synthetic store, the same on every machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from contract.graphs import DomainGraphs, split
from load_tests.bench_features import build, sampled_batches
from transformer.subgraph import extract

STORE_EDGES = 50_000


def sample_graphs(count: int) -> list[DomainGraphs]:
    """So many single graphs of random stored names."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot = build(Path(folder), STORE_EDGES)
        targets = sampled_batches(STORE_EDGES, count, 1)[0]
        return split(extract(snapshot, targets).graphs, [1] * count)
