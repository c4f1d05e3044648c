"""The baselines, trained and scored in the run that judges the model, on the same rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from contract.feature_schema import LEXICAL_FEATURES
from contract.tensors import NOT_SCORED
from training.baselines import (
    gradient_boosting,
    hetero_sage,
    label_propagation,
    ngram_regression,
    read_published_graph,
)
from training.data import GRAPH_EDGES, GRAPH_NODES
from training.evaluation.judge import Judged, JudgedGraph, JudgedNames
from training.evaluation.report import Figures
from training.evaluation.samples import Samples, Size
from training.pools import featurized
from transformer.graph_store import Snapshot

logger = logging.getLogger(__name__)

NGRAMS: Final = "ngram-regression"
BOOSTING: Final = "gradient-boosting"
PROPAGATION: Final = "label-propagation"
SAGE: Final = "hetero-graphsage"

ByPath = dict[str, Figures]
# Scores of the last names by what the first are labelled.
NameModel = Callable[[Sequence[str], np.ndarray, Sequence[str]], np.ndarray]


def references(
    samples: Samples, data: Path, size: Size, names: JudgedNames, idn: Judged, graph: JudgedGraph
) -> dict[str, ByPath]:
    """Figures of every baseline by its name, on the paths that it can be compared on."""
    logger.info("baselines: n-grams and boosting on %d names, then the graph", len(samples.train.domains))
    published = read_published_graph(data / GRAPH_NODES, data / GRAPH_EDGES)
    rows = samples.graph_rows
    sage = [scores[rows] for scores in hetero_sage(published, size.seeds, size.epochs)]
    return {
        NGRAMS: _by_name(ngram_regression, samples, names, idn, graph),
        BOOSTING: _by_name(boosted_features, samples, names, idn, graph),
        PROPAGATION: {"graph/with-evidence": graph.figures([label_propagation(published)[rows]])},
        SAGE: {"graph/with-evidence": graph.figures(sage)},
    }


def boosted_features(train: Sequence[str], malicious: np.ndarray, test: Sequence[str]) -> np.ndarray:
    """Scores of names by gradient boosting on the transformer's lexical features."""
    known, rows = lexical_features(train, "names to boost on")
    asked, places = lexical_features(test, "names to score by boosting")
    found = np.full(len(test), NOT_SCORED)
    found[places] = gradient_boosting(known, malicious[rows], asked)
    return found


def lexical_features(
    domains: Sequence[str], what: str
) -> tuple[Float32[np.ndarray, "names features"], np.ndarray]:
    """The transformer's lexical features of every name that is one, and which rows those are."""
    graphs, rows = featurized(Snapshot.empty(), domains, what)
    return graphs.node_features[graphs.target_nodes, : len(LEXICAL_FEATURES)], rows


def _by_name(
    model: NameModel, samples: Samples, names: JudgedNames, idn: Judged, graph: JudgedGraph
) -> ByPath:
    """Figures of a model that reads names alone; for the graph it is trained on the graph's own names."""
    asked = [*samples.test.domains, *samples.idn.domains]
    scores = model(samples.train.domains, samples.train.malicious, asked)
    of_names, of_idn = np.split(scores, [len(samples.test.domains)])
    known = np.flatnonzero(samples.graph.split == "train")
    of_graph = model(
        [samples.graph.domains[row] for row in known], samples.graph.label[known] == 1, samples.graph_domains
    )
    return {
        **names.headlines(of_names),
        "idn": idn.figures(of_idn, np.ones(len(of_idn), bool)),
        "graph/name-alone": graph.figures([of_graph]),
    }
