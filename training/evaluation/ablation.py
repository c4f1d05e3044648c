"""What each part of the input is worth: the same names with that part taken away, scored by the same weights.

The tensors are those that the running transformer gives; only the predictor is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32
from tqdm import tqdm

from contract.feature_schema import LEXICAL_FEATURES, NODE_FEATURES, RELATION_IDS, RELATIONS, reverse_of
from contract.graphs import DomainGraphs, split
from training.served import GRAPHS_A_REQUEST, ServedModel, request_sizes

# Groups of LEXICAL_FEATURES by the first of each; they follow one another.
_FIRST_OF_GROUP: Final = {
    "structure": "name_length",
    "characters": "name_digit_share",
    "surprisal-and-words": "bigram_surprisal_mean",
    "brands-and-lures": "lure_words",
    "suffix": "suffix_length",
}
WHOLE: Final = "whole"

Change = Callable[[DomainGraphs], DomainGraphs]


def feature_groups() -> dict[str, tuple[str, ...]]:
    """The lexical features by group, in contract order."""
    starts = [LEXICAL_FEATURES.index(first) for first in _FIRST_OF_GROUP.values()]
    bounds = pairwise([*starts, len(LEXICAL_FEATURES)])
    return {
        group: LEXICAL_FEATURES[low:high] for group, (low, high) in zip(_FIRST_OF_GROUP, bounds, strict=True)
    }


def without_features(graphs: DomainGraphs, features: Sequence[str]) -> DomainGraphs:
    """The graphs with these columns zero on every node."""
    kept = graphs.node_features.copy()
    kept[:, [NODE_FEATURES.index(feature) for feature in features]] = 0.0
    return replace(graphs, node_features=kept)


def without_names(graphs: DomainGraphs) -> DomainGraphs:
    """The graphs without the letters of their names, of which the predictor makes n-grams."""
    return replace(
        graphs,
        name_bytes=graphs.name_bytes[:0],
        name_offsets=np.zeros_like(graphs.name_offsets),
        name_parts=np.zeros_like(graphs.name_parts),
    )


def without_relation(graphs: DomainGraphs, relation: str) -> DomainGraphs:
    """The graphs without the edges of a relation in either direction, and without its degrees."""
    both = {relation, reverse_of(relation)}
    dropped = np.isin(graphs.edge_type, [RELATION_IDS[name] for name in both])
    fewer = with_edges(graphs, ~dropped)
    return without_features(fewer, [f"log_degree_{name}" for name in both])


def without_degrees(graphs: DomainGraphs) -> DomainGraphs:
    """The graphs with their edges, but not telling how many more a node has in the store."""
    return without_features(graphs, [f"log_degree_{relation}" for relation in RELATIONS])


def one_hop(graphs: DomainGraphs) -> DomainGraphs:
    """The graphs with the edges of their targets only."""
    is_target = np.zeros(graphs.node_count, bool)
    is_target[graphs.target_nodes] = True
    return with_edges(graphs, is_target[graphs.edge_index].any(axis=0))


def no_hop(graphs: DomainGraphs) -> DomainGraphs:
    """The graphs without edges: nothing but the name is left to say."""
    return with_edges(graphs, np.zeros(graphs.edge_count, bool))


def with_edges(graphs: DomainGraphs, kept: Bool[np.ndarray, " edges"]) -> DomainGraphs:
    """The graphs with the chosen edges; their nodes all stay."""
    before = np.concatenate([[0], np.cumsum(kept)])
    return replace(
        graphs,
        edge_index=graphs.edge_index[:, kept],
        edge_type=graphs.edge_type[kept],
        edge_offsets=before[graphs.edge_offsets],
    )


def of_names() -> dict[str, Change]:
    """What is taken from lone names, by the end of the figure's path."""
    groups = {f"without-{group}": _feature_change(features) for group, features in feature_groups().items()}
    return {WHOLE: _as_it_is, **groups, "without-ngrams": without_names}


def of_graphs(graphs: DomainGraphs) -> dict[str, Change]:
    """What is taken from names with evidence; relations that no edge is of are left out."""
    present = {RELATIONS[kind] for kind in np.unique(graphs.edge_type)}
    relations = [name for name in RELATIONS if name in present and not name.endswith("_rev")]
    return {
        WHOLE: _as_it_is,
        **{f"without-{relation}": _relation_change(relation) for relation in relations},
        "without-degrees": without_degrees,
        "one-hop": one_hop,
        "no-hop": no_hop,
    }


def _as_it_is(graphs: DomainGraphs) -> DomainGraphs:
    return graphs


def _feature_change(features: Sequence[str]) -> Change:
    return lambda graphs: without_features(graphs, features)


def _relation_change(relation: str) -> Change:
    return lambda graphs: without_relation(graphs, relation)


def features_of(served: ServedModel, domains: Sequence[str]) -> Iterator[DomainGraphs]:
    """The ego-graphs of names, a batch a request; all must be domain names."""
    for first in range(0, len(domains), GRAPHS_A_REQUEST):
        yield served.features(domains[first : first + GRAPHS_A_REQUEST])[0]


def scores_without(
    served: ServedModel, graphs: DomainGraphs, changes: dict[str, Change], what: str
) -> dict[str, Float32[np.ndarray, " graphs"]]:
    """Scores of the graphs under each change."""
    progress = tqdm(changes.items(), desc=f"ablation of {what}", unit="parts", disable=None)
    return {name: _scores(served, change(graphs)) for name, change in progress}


def _scores(served: ServedModel, graphs: DomainGraphs) -> Float32[np.ndarray, " graphs"]:
    parts = split(graphs, request_sizes(graphs.graph_count))
    return np.concatenate([served.risk(part) for part in parts])
