"""Everything an evaluation asks the running services, in two runs: an empty store, and one of the graph."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from contract.graphs import DomainGraphs, union
from contract.tensors import NOT_SCORED
from inference_services.local import LocalSettings, running
from training.evaluation.ablation import features_of, of_graphs, of_names, scores_without
from training.evaluation.samples import JUDGED, Samples, Size
from training.evaluation.services import import_observations, local_settings, scores_of
from training.pools import observation_line
from training.served import ServedModel

logger = logging.getLogger(__name__)

# Of the former 6bone (RFC 3701), nobody's: in no store.
FRESH_ADDRESS: Final = "AAAA 3ffe:f00::1"


@dataclass(frozen=True, slots=True)
class Ablated:
    """Scores of some rows under each change of their tensors; the rows index the names that were scored."""

    rows: np.ndarray
    scores: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class LoneAnswers:
    """What the services say without any evidence: one score a row."""

    names: np.ndarray
    names_seconds: float
    fresh: np.ndarray
    idn: np.ndarray
    changed: dict[str, np.ndarray]
    graph: np.ndarray
    ablated: Ablated


@dataclass(frozen=True, slots=True)
class GraphAnswers:
    """What they say with the graph in the store, and the ego-graphs of the judged domains."""

    graph: np.ndarray
    ablated: Ablated
    ego_graphs: list[DomainGraphs]


def ask_without_evidence(samples: Samples, model_dir: Path, size: Size) -> LoneAnswers:
    """Score every name on its own, through services over an empty store.

    Raises:
        ServiceFailed: a service did not start.
    """
    with _serving(model_dir, []) as settings:
        # First, so that the names whose time is taken meet services that are warm.
        idn = scores_of(settings, samples.idn.domains, "internationalised names")
        began = time.perf_counter()
        names = scores_of(settings, samples.test.domains, "names of the test")
        seconds = time.perf_counter() - began
        fresh = scores_of(
            settings,
            samples.test.domains,
            "the same on a fresh address",
            [FRESH_ADDRESS] * len(samples.test.domains),
        )
        changed = {what: scores_of(settings, kind.domains, what) for what, kind in samples.changed.items()}
        graph = scores_of(settings, samples.graph_domains, "names of the graph alone")
        rows = _sample(samples.test.strong & (names != NOT_SCORED), size.ablation)
        served = ServedModel(settings)
        graphs = union(list(features_of(served, [samples.test.domains[row] for row in rows])))
        ablated = Ablated(rows, scores_without(served, graphs, of_names(), "lone names"))
    _warn_of_others(names, "names of the test")
    return LoneAnswers(names, seconds, fresh, idn, changed, graph, ablated)


def ask_with_evidence(samples: Samples, model_dir: Path) -> GraphAnswers:
    """Score the graph's names through services whose store holds its edges.

    Raises:
        ServiceFailed: a service did not start.
    """
    observations = [observation_line(*pair) for pair in samples.graph.resolves]
    with _serving(model_dir, observations) as settings:
        scores = scores_of(settings, samples.graph_domains, "names of the graph")
        judged = samples.graph.split[samples.graph_rows] == JUDGED
        rows = np.flatnonzero(judged & (scores != NOT_SCORED))
        served = ServedModel(settings)
        batches = list(features_of(served, [samples.graph_domains[row] for row in rows]))
        graphs = union(batches)
        ablated = Ablated(rows, scores_without(served, graphs, of_graphs(graphs), "names with evidence"))
    _warn_of_others(scores, "names of the graph")
    return GraphAnswers(scores, ablated, batches)


@contextmanager
def _serving(model_dir: Path, observations: Sequence[bytes]) -> Iterator[LocalSettings]:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "graph-store"
        if observations:
            import_observations(observations, store)
        settings = local_settings(model_dir, store)
        with running(settings):
            yield settings


def _sample(eligible: np.ndarray, most: int) -> np.ndarray:
    rows = np.flatnonzero(eligible)
    chosen = np.random.default_rng(0).choice(rows, min(most, len(rows)), replace=False)
    return np.sort(chosen)


def _warn_of_others(scores: np.ndarray, what: str) -> None:
    others = int((scores == NOT_SCORED).sum())
    if others:
        logger.warning("%s: %d of %d rows are no domain names and are left out", what, others, len(scores))
