"""Training samples as the services see them: through the transformer's own featurizer, and no other."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import orjson
from tqdm import tqdm

from contract.graphs import DomainGraphs, union
from training.data import (
    BENIGN,
    DGA,
    PHISHING,
    UNLABELLED,
    LabelledGraph,
    LabelledNames,
    private_address,
)
from training.international_names import international_names
from training.local_names import local_names
from training.look_alikes import look_alike_names
from training.recipe import Recipe
from training.samples import Pool
from training.service_names import network_names, service_names
from training.synthetic_dga import synthetic_names
from transformer.featurize import featurize
from transformer.graph_store import GraphStore, Snapshot, SnapshotBuilder, UnusableLine, parse_line, publish

logger = logging.getLogger(__name__)

CHUNK: Final = 2048
# Numbers of decoy addresses from here on are drawn once: nobody shares them.
PRIVATE: Final = 1 << 22


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


def observation_line(domain: str, rdata: str, rrtype: str = "A") -> bytes:
    """One observation in the Passive DNS Common Output Format."""
    return orjson.dumps({"rrname": domain, "rrtype": rrtype, "rdata": rdata, "time_first": 0, "time_last": 0})


@contextmanager
def snapshot_of(lines: Iterable[bytes]) -> Iterator[Snapshot]:
    """A snapshot of observations, imported as passive DNS into a folder that is gone afterwards."""
    # Addresses of training data are private stand-ins.
    builder, unusable = SnapshotBuilder(private_addresses=True), 0
    for line in lines:
        try:
            builder.add(parse_line(line))
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
    """Samples beside the given rows, made from them alone.

    Generated names, names of local and of content networks, of services, in other scripts, look-alikes, and
    some rows again with a leading www.
    """
    rng = np.random.default_rng(recipe.seed + 1)
    good = ~names.malicious & names.strong
    benign = [names.domains[row] for row in rows if good[row]]
    made = {
        DGA: synthetic_names(recipe.synthetic_names, benign, rng),
        BENIGN: [
            *local_names(recipe.local_names, benign, rng),
            *service_names(recipe.service_names, benign, rng),
            *network_names(recipe.network_names, rng),
            *international_names(recipe.international_names, rng),
        ],
        PHISHING: look_alike_names(recipe.look_alike_names, benign, rng),
    }
    again = rng.choice(rows, int(recipe.www_share * len(rows)), replace=False)
    again = again[[len(names.domains[row]) < 240 for row in again]]
    domains = [*chain.from_iterable(made.values()), *(f"www.{names.domains[row]}" for row in again)]
    graphs, kept = featurized(Snapshot.empty(), domains, "names beside the labelled ones")
    category = np.concatenate(
        [*(np.full(len(kind), number) for number, kind in made.items()), names.category[again]]
    )
    weight = np.ones(len(domains))
    weight[len(domains) - len(again) :] = row_weights(names, recipe)[again]
    return Pool(graphs, category[kept], weight[kept])


def graph_pool(graph: LabelledGraph) -> tuple[Pool, np.ndarray]:
    """The ego-graphs of the graph's domains in a store of its edges, and the split that each is of.

    Benign and malicious rows count as much as each other, so that having a graph tells nothing.
    """
    with snapshot_of(observation_line(*pair) for pair in graph.resolves) as snapshot:
        graphs, rows = featurized(snapshot, graph.domains, "the graph's names")
    label = graph.label[rows]
    train = graph.split[rows] == "train"
    malicious_share = (label[train] == 1).mean()
    weight = np.where(label == 1, 0.5 / malicious_share, 0.5 / (1 - malicious_share))
    category = np.where(label == 1, -1, 0)
    return Pool(graphs, category, weight), np.where(label == UNLABELLED, "hidden", graph.split[rows])


def decoy_pool(names: LabelledNames, rows: np.ndarray, recipe: Recipe) -> Pool:
    """Names on hosts that say nothing: shared with a random mix of other names, or with nobody.

    A row with a graph comes from another collection than one without; these rows keep the mere presence
    of a graph from telling anything, also of relations that no labelled graph has.
    """
    rng = np.random.default_rng(recipe.seed + 2)
    chosen = rng.choice(rows, min(recipe.decoys, len(rows)), replace=False)
    lines = (line for row in chosen for line in _decoy_records(names.domains[row], recipe.decoy_hosts, rng))
    with snapshot_of(lines) as snapshot:
        graphs, kept = featurized(snapshot, [names.domains[row] for row in chosen], "names on decoy hosts")
    chosen = chosen[kept]
    return Pool(graphs, names.category[chosen], row_weights(names, recipe)[chosen])


def _decoy_records(domain: str, hosts: int, rng: np.random.Generator) -> Iterator[bytes]:
    for _ in range(min(int(rng.geometric(0.5)), 10)):
        yield observation_line(domain, _decoy_address(hosts, rng))
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 5))):
            yield observation_line(domain, f"ns{_crowded(hosts // 10, rng)}.example.net", "NS")
    if rng.random() < 0.15:
        yield observation_line(domain, f"edge{_crowded(hosts, rng)}.example.net", "CNAME")
    for child in ("www", "mail", "api", "cdn", "m")[: max(0, int(rng.geometric(0.4)) - 1)]:
        yield observation_line(f"{child}.{domain}", _decoy_address(hosts, rng))


def _decoy_address(hosts: int, rng: np.random.Generator) -> str:
    # Many a new name comes with an address that the store has never seen.
    host = PRIVATE + int(rng.integers(PRIVATE)) if rng.random() < 0.4 else _crowded(hosts, rng)
    return private_address(host)


def _crowded(hosts: int, rng: np.random.Generator) -> int:
    # Cubed, so that few hosts are crowded and many are nearly private, as in the wild.
    return int(hosts * rng.random() ** 3)
