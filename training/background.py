"""The explainer's background: made-up names like those of the training files, one of them unremarkable."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import numpy as np

from contract.graphs import DomainGraphs
from contract.tensors import CATEGORIES
from explainer.background import BackgroundConfig, save_background
from explainer.perturbation import NameSet
from predictor.checkpoint import load
from predictor.scorer import Scorer, choose_device
from training.data import BENIGN, TRAIN_NAMES, LabelledNames, read_names
from training.likely_names import LikelyNames
from training.pools import featurized
from transformer.domain_name import DomainName, NotADomainName, parse_domain
from transformer.graph_store import Snapshot

logger = logging.getLogger(__name__)

# As many benign names as of all kinds of malice together.
NAMES_OF_KIND: Final = {"benign": 384, "dga": 128, "malware": 128, "phishing": 128}
# More rows change nothing of the chains but the time it takes to fit them.
_FITTED_ROWS: Final = 60_000


def make_background(data: Path, directory: Path, seed: int) -> BackgroundConfig:
    """Write the background of a model version into its directory.

    Raises:
        UnusableData: the training names are missing or not of their format.
        UnusableCheckpoint: the model version is.
    """
    return write_background(read_names(data / TRAIN_NAMES), directory, seed)


def write_background(labels: LabelledNames, directory: Path, seed: int) -> BackgroundConfig:
    """Write the background of a model version, from names that were read before.

    Raises:
        UnusableCheckpoint: the model version is.
    """
    model, config = load(directory)
    names, kinds = likely_names(labels, np.random.default_rng(seed))
    graphs, rows = featurized(Snapshot.empty(), names, "background names")
    scores = Scorer(model, choose_device("cpu")).launch([graphs]).result().risk_score
    reference = unremarkable(graphs, scores, kinds[rows] == BENIGN)
    logger.info("%d background names; compared with %s", graphs.graph_count, names[rows[reference]])
    return save_background(
        directory,
        graphs,
        BackgroundConfig(
            model_version=config.version,
            feature_schema=config.feature_schema,
            weights_sha256=config.weights_sha256,
            reference=reference,
            reference_score=float(scores[reference]),
            seed=seed,
        ),
    )


def likely_names(names: LabelledNames, rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """Made-up names of every category, and the category of each."""
    parsed = [_parsed(name) for name in names.domains]
    # Of every row, fitted or not: no name of the data may leave with the weights.
    real = {name.registrable_label for name in parsed if name}
    made: list[str] = []
    for category, kind in enumerate(CATEGORIES):
        rows = rng.permutation(np.flatnonzero((names.category == category) & names.strong))[:_FITTED_ROWS]
        fitted = [name for name in (parsed[row] for row in rows) if name]
        made += LikelyNames(fitted, real).sample(NAMES_OF_KIND[kind], rng)
        logger.info("%s: %d names like %d", kind, NAMES_OF_KIND[kind], len(rows))
    return made, np.repeat(np.arange(len(CATEGORIES)), [NAMES_OF_KIND[kind] for kind in CATEGORIES])


def _parsed(name: str) -> DomainName | None:
    try:
        return parse_domain(name)
    except NotADomainName:
        return None


def unremarkable(graphs: DomainGraphs, scores: np.ndarray, benign: np.ndarray) -> int:
    """The row of a plain benign name whose score is the middle one of all benign names.

    Plain: letters only, no sub-domain, a public suffix of one label, so that what it lends to another name is
    the absence of a trait.
    """
    plain = np.array([_is_plain(*parts) for parts in NameSet.of_targets(graphs).parts], bool)
    candidates = np.flatnonzero(plain & benign)
    distance = np.abs(scores[candidates] - np.median(scores[benign]))
    return int(candidates[np.argmin(distance)])


def _is_plain(subdomain: bytes, label: bytes, suffix: bytes) -> bool:
    return not subdomain and label.isalpha() and suffix.isalpha()
