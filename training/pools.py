"""Training samples as the services see them: through the transformer's own featurizer, and no other."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import orjson
from tqdm import tqdm

from contract.graphs import DomainGraphs, union
from training.data import LabelledGraph, LabelledNames
from training.fit import Pool
from training.recipe import Recipe
from training.synthetic_dga import synthetic_names
from transformer.featurize import featurize
from transformer.graph_store import GraphStore, Snapshot, SnapshotBuilder, UnusableLine, parse_line, publish

logger = logging.getLogger(__name__)

CHUNK: Final = 2048
DGA: Final = 1


def featurized(snapshot: Snapshot, domains: Sequence[str], what: str) -> tuple[DomainGraphs, np.ndarray]:
    """The ego-graph of every name, as a request for it would send them, and which rows were names."""
    graphs, rows = [], []
    for first in tqdm(range(0, len(domains), CHUNK), desc=f"features of {what}", disable=None):
        made = featurize(snapshot, domains[first : first + CHUNK])
        if made.graphs is not None:
            graphs.append(made.graphs)
            rows.append(made.rows + first)
    kept = np.concatenate(rows)
    if len(kept) < len(domains):
        logger.warning("%s: %d of %d rows are not domain names", what, len(domains) - len(kept), len(domains))
    return union(graphs), kept


def observation_line(domain: str, address: str) -> bytes:
    """One observation in the Passive DNS Common Output Format."""
    return orjson.dumps({"rrname": domain, "rrtype": "A", "rdata": address, "time_first": 0, "time_last": 0})


@contextmanager
def snapshot_of(resolves: Iterable[tuple[str, str]]) -> Iterator[Snapshot]:
    """A snapshot of (name, address) pairs, imported as passive DNS into a folder that is gone afterwards."""
    builder, unusable = SnapshotBuilder(), 0
    for domain, address in resolves:
        try:
            builder.add(parse_line(observation_line(domain, address)))
        except UnusableLine:
            unusable += 1
    if unusable:
        logger.warning("graph: %d observations are not of domain names", unusable)
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder), builder)
        yield GraphStore(Path(folder)).snapshot


def name_pool(names: LabelledNames, recipe: Recipe) -> tuple[Pool, np.ndarray]:
    """Every labelled name as a lone node, and the row of each sample."""
    graphs, rows = featurized(Snapshot.empty(), names.domains, "names")
    return Pool(graphs, names.category[rows], row_weights(names, recipe)[rows]), rows


def row_weights(names: LabelledNames, recipe: Recipe) -> np.ndarray:
    """How much each row counts, by the quality of its label."""
    weight = np.ones(len(names.domains))
    weight[~names.malicious & (names.quality == "weak")] = recipe.weak_benign_weight
    weight[names.malicious & (names.quality == "medium")] = recipe.medium_weight
    return weight


def extra_pool(names: LabelledNames, rows: np.ndarray, recipe: Recipe) -> Pool:
    """Samples beside the given rows: generated names, and some rows again with a leading www."""
    rng = np.random.default_rng(recipe.seed + 1)
    generated = synthetic_names(recipe.synthetic_names, recipe.pronounceable_share, rng)
    again = rng.choice(rows, int(recipe.www_share * len(rows)), replace=False)
    again = again[[len(names.domains[row]) < 240 for row in again]]
    domains = [*generated, *(f"www.{names.domains[row]}" for row in again)]
    graphs, kept = featurized(Snapshot.empty(), domains, "generated and www names")
    category = np.concatenate([np.full(len(generated), DGA), names.category[again]])
    weight = np.concatenate([np.ones(len(generated)), row_weights(names, recipe)[again]])
    return Pool(graphs, category[kept], weight[kept])


def graph_pool(graph: LabelledGraph) -> tuple[Pool, np.ndarray]:
    """The ego-graphs of the graph's domains in a store of its edges, and the row of each sample.

    Benign and malicious rows count as much as each other, so that having a graph tells nothing.
    """
    with snapshot_of(graph.resolves) as snapshot:
        graphs, rows = featurized(snapshot, graph.domains, "the graph's names")
    label = graph.label[rows]
    train = graph.split[rows] == "train"
    malicious_share = (label[train] == 1).mean()
    weight = np.where(label == 1, 0.5 / malicious_share, 0.5 / (1 - malicious_share))
    category = np.where(label == 1, -1, 0)
    return Pool(graphs, category, weight), rows


def decoy_pool(names: LabelledNames, rows: np.ndarray, recipe: Recipe) -> Pool:
    """Names on addresses that say nothing: shared with a random mix of other names, or with nobody.

    A row with a graph comes from another collection than one without; these rows keep the mere presence
    of a graph from telling anything.
    """
    rng = np.random.default_rng(recipe.seed + 2)
    chosen = rng.choice(rows, min(recipe.decoys, len(rows)), replace=False)
    resolves = [
        (names.domains[row], _decoy_address(recipe.decoy_hosts, rng))
        for row in chosen
        for _ in range(int(rng.geometric(0.6)))
    ]
    with snapshot_of(resolves) as snapshot:
        graphs, kept = featurized(snapshot, [names.domains[row] for row in chosen], "names on decoy hosts")
    chosen = chosen[kept]
    return Pool(graphs, names.category[chosen], row_weights(names, recipe)[chosen])


def _decoy_address(hosts: int, rng: np.random.Generator) -> str:
    # Cubed, so that few addresses are crowded and many are nearly private, as in the wild.
    host = int(hosts * rng.random() ** 3)
    return f"10.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}"
