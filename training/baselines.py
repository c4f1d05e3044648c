"""The references a model has to beat, trained and scored in the same run as it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from scipy.sparse import csr_array
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import HeteroConv, SAGEConv
from tqdm import tqdm

from training.data import rows

PUBLISHED_FEATURES: Final = {
    "domain": (
        "suspicious_tld", "length", "entropy", "fake_tld", "brand",
        "pop_keywords", "similar", "is_idn", "minus", "num_subdomains",
    ),
    "ip": ("subnet", "asn_count"),
}  # fmt: skip
EPOCHS: Final = 150
SEEDS: Final = 3
# Of a node's score, what comes from its neighbours in each round (Zhou et al.); the rest is its own label.
SPREAD: Final = 0.99
ROUNDS: Final = 50
BENIGN, MALICIOUS = 0, 1

EdgeType = tuple[str, str, str]


def ngram_regression(
    train: Sequence[str], malicious: np.ndarray, test: Sequence[str]
) -> Float[np.ndarray, " test"]:
    """Scores of logistic regression (C = 4) on TF-IDF of character 1- to 4-grams."""
    vectorizer = TfidfVectorizer(
        analyzer="char", ngram_range=(1, 4), min_df=3, sublinear_tf=True, dtype=np.float32
    )
    # Liblinear ends in half a minute where lbfgs takes many; the figures agree to the second digit.
    model = LogisticRegression(C=4.0, solver="liblinear", tol=1e-3)
    model.fit(vectorizer.fit_transform(train), malicious)
    return np.asarray(model.predict_proba(vectorizer.transform(test))[:, 1])


def gradient_boosting(
    train: Float32[np.ndarray, "train features"],
    malicious: Bool[np.ndarray, " train"],
    test: Float32[np.ndarray, "test features"],
) -> Float[np.ndarray, " test"]:
    """Scores of boosted trees over histograms, of scikit-learn's own settings but for more rounds."""
    model = HistGradientBoostingClassifier(max_iter=300, early_stopping=False, random_state=0)
    return np.asarray(model.fit(train, malicious).predict_proba(test)[:, 1])


@dataclass(frozen=True, slots=True)
class PublishedGraph:
    """The labelled graph with its published node features, as its authors' models see it."""

    features: dict[str, Float32[Tensor, "nodes features"]]
    edges: dict[EdgeType, Int64[Tensor, "2 edges"]]
    label: Int64[Tensor, " domains"]
    split: np.ndarray


def read_published_graph(nodes_path: Path, edges_path: Path) -> PublishedGraph:
    """Read nodes with their published features, and all three relations in both directions."""
    place: dict[str, tuple[str, int]] = {}
    features: dict[str, list[list[float]]] = {"domain": [], "ip": []}
    label, split = [], []
    for node in rows(nodes_path):
        kind = node["type"]
        place[node["id"]] = (kind, len(features[kind]))
        features[kind].append([float(node[name] or 0) for name in PUBLISHED_FEATURES[kind]])
        if kind == "domain":
            label.append(int(node["label"] or -1))
            split.append(node["split"])
    return PublishedGraph(
        {kind: torch.tensor(values) for kind, values in features.items()},
        _edges(edges_path, place),
        torch.tensor(label),
        np.array(split),
    )


def _edges(path: Path, place: dict[str, tuple[str, int]]) -> dict[EdgeType, Int64[Tensor, "2 edges"]]:
    pairs: dict[EdgeType, list[tuple[int, int]]] = {}
    for edge in rows(path):
        (source_kind, source), (target_kind, target) = place[edge["src"]], place[edge["dst"]]
        pairs.setdefault((source_kind, edge["type"], target_kind), []).append((source, target))
        pairs.setdefault((target_kind, f"{edge['type']}_rev", source_kind), []).append((target, source))
    return {kind: torch.tensor(listed).T.contiguous() for kind, listed in pairs.items()}


class HeteroSage(nn.Module):
    """Two layers of heterogeneous GraphSAGE, 64 wide (PDNS-Net's reference, arXiv 2203.07969)."""

    def __init__(self, graph: PublishedGraph, width: int = 64) -> None:
        super().__init__()
        self.enter = nn.ModuleDict(
            {kind: nn.Linear(values.shape[1], width) for kind, values in graph.features.items()}
        )
        self.layers = nn.ModuleList(
            HeteroConv({kind: SAGEConv(width, width) for kind in graph.edges}, aggr="sum") for _ in range(2)
        )
        self.leave = nn.Linear(width, 2)

    def forward(self, graph: PublishedGraph) -> Float[Tensor, "domains classes"]:
        """Logits of benign and malicious for every domain node."""
        state = {kind: functional.relu(self.enter[kind](values)) for kind, values in graph.features.items()}
        for layer in self.layers:
            state = {kind: functional.relu(values) for kind, values in layer(state, graph.edges).items()}
        return self.leave(functional.dropout(state["domain"], 0.3, self.training))


def label_propagation(graph: PublishedGraph) -> Float[np.ndarray, " domains"]:
    """The share of malice in what reaches each domain node from labels of `train`; 0.5 where nothing does.

    Labels spread over the symmetrically normalised adjacency of all three relations, as
    `F <- a D^-1/2 A D^-1/2 F + (1 - a) Y` (Zhou et al., NIPS 2003).
    """
    adjacency = _normalised_adjacency(graph)
    own = np.zeros((adjacency.shape[0], 2))
    for label in (BENIGN, MALICIOUS):
        known = (graph.split == "train") & (graph.label.numpy() == label)
        own[np.flatnonzero(known), label] = 1.0 / max(int(known.sum()), 1)
    spread = own
    for _ in range(ROUNDS):
        spread = SPREAD * (adjacency @ spread) + (1 - SPREAD) * own
    reached = spread[: len(graph.label)]
    total = reached.sum(axis=1)
    return np.divide(reached[:, MALICIOUS], total, out=np.full(len(total), 0.5), where=total > 0)


def _normalised_adjacency(graph: PublishedGraph) -> csr_array:
    first = {"domain": 0, "ip": len(graph.features["domain"])}
    nodes = sum(len(values) for values in graph.features.values())
    # Each relation is listed in both directions.
    sources = torch.cat([edges[0] + first[kind[0]] for kind, edges in graph.edges.items()]).numpy()
    targets = torch.cat([edges[1] + first[kind[2]] for kind, edges in graph.edges.items()]).numpy()
    degree = np.bincount(sources, minlength=nodes)
    values = 1.0 / np.sqrt(degree[sources] * degree[targets])
    return csr_array((values, (sources, targets)), shape=(nodes, nodes))


def hetero_sage(
    graph: PublishedGraph, seeds: int = SEEDS, epochs: int = EPOCHS
) -> list[Float[np.ndarray, " domains"]]:
    """Scores of every domain node by a model of each seed, each at its best validation loss."""
    return [_fit_sage(graph, seed, epochs) for seed in range(seeds)]


def _fit_sage(graph: PublishedGraph, seed: int, epochs: int) -> Float[np.ndarray, " domains"]:
    torch.manual_seed(seed)
    model = HeteroSage(graph)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=5e-4)
    train, val = (torch.from_numpy(graph.split == name) for name in ("train", "val"))
    best_loss, best = float("inf"), np.zeros(0)
    for _ in tqdm(range(epochs), desc=f"hetero GraphSAGE, seed {seed}", disable=None):
        model.train()
        optimizer.zero_grad()
        functional.cross_entropy(model(graph)[train], graph.label[train]).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            logits = model(graph)
        loss = float(functional.cross_entropy(logits[val], graph.label[val]))
        if loss < best_loss:
            best_loss, best = loss, logits.softmax(dim=1)[:, 1].numpy()
    return best
