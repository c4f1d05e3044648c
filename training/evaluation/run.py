"""One evaluation from data files to report: ask the services, train the baselines, judge both."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from predictor.checkpoint import WEIGHTS_FILE, ModelConfig, load_config
from training.data import DGA
from training.evaluation.cost import machine, microseconds_per_graph
from training.evaluation.judge import Judged, JudgedGraph, JudgedNames, changed_figures, judged_of
from training.evaluation.references import references
from training.evaluation.report import Cost, Curves, Figures, Report
from training.evaluation.samples import CHOOSING, FULL, JUDGED, Samples, Size, read_samples
from training.evaluation.served_answers import (
    Ablated,
    GraphAnswers,
    LoneAnswers,
    ask_with_evidence,
    ask_without_evidence,
)
from training.evaluation.slices import ALL, STRONG
from training.evaluation.threads import one_thread


def evaluate(data: Path, model_dir: Path, size: Size = FULL) -> Report:
    """All figures of a version and of the baselines, from one run.

    Raises:
        UnusableData: a data file is missing or not of its format.
        UnusableCheckpoint: the directory holds no version.
        ServiceFailed: a service did not start.
    """
    config = load_config(model_dir)
    samples = read_samples(data, size)
    lone = ask_without_evidence(samples, model_dir, size)
    with_graph = ask_with_evidence(samples, model_dir)
    names, idn, graph = _judged(samples, size)
    with one_thread():
        baselines = references(samples, data, size, names, idn, graph)
    return Report(
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        sampled=size.sampled,
        model_version=config.version,
        feature_schema=config.feature_schema,
        weights_sha256=config.weights_sha256,
        data=samples.digests,
        figures={
            **_of_names(names, lone),
            "idn": idn.figures(lone.idn, np.ones(len(lone.idn), bool)),
            **_of_graph(graph, lone, with_graph),
            **_robustness(samples, lone, config, size),
            **_ablation("names", names.judged, lone.ablated),
            **_ablation("graph", graph.judged, with_graph.ablated),
        },
        baselines=baselines,
        curves=_curves(names, idn, graph, lone, with_graph),
        cost=_cost(samples, lone, with_graph, model_dir),
    )


def _judged(samples: Samples, size: Size) -> tuple[JudgedNames, Judged, JudgedGraph]:
    test, split = samples.test, samples.graph.split[samples.graph_rows]
    unseen = frozenset(map(str, test.family[test.category == DGA])) - samples.families
    malicious = samples.graph.label[samples.graph_rows] == 1
    return (
        JudgedNames(test, unseen, judged_of(test.domains, test.malicious, size.resamples)),
        judged_of(samples.idn.domains, samples.idn.malicious, size.resamples),
        JudgedGraph(
            split == JUDGED, split == CHOOSING, judged_of(samples.graph_domains, malicious, size.resamples)
        ),
    )


def _of_names(names: JudgedNames, lone: LoneAnswers) -> dict[str, Figures]:
    found = names.by_part(lone.names)
    found[f"{STRONG}/fresh-address"] = names.judged.figures(lone.fresh, names.names.strong)
    return found


def _of_graph(graph: JudgedGraph, lone: LoneAnswers, with_graph: GraphAnswers) -> dict[str, Figures]:
    return {
        "graph/with-evidence": graph.figures([with_graph.graph]),
        "graph/name-alone": graph.figures([lone.graph]),
        "graph/gain-of-evidence": graph.gain(with_graph.graph, lone.graph),
    }


def _robustness(samples: Samples, lone: LoneAnswers, config: ModelConfig, size: Size) -> dict[str, Figures]:
    points = config.operating_points
    thresholds = {"flagged_monitor": points.monitor, "flagged_block": points.block}
    return {
        f"robustness/{what}": changed_figures(
            samples.test, lone.names, changed, lone.changed[what], thresholds, size.resamples
        )
        for what, changed in samples.changed.items()
    }


def _ablation(what: str, judged: Judged, ablated: Ablated) -> dict[str, Figures]:
    chosen = np.zeros(len(judged.malicious), bool)
    chosen[ablated.rows] = True
    found = {}
    for part, answers in ablated.scores.items():
        scores = np.zeros(len(chosen), np.float32)
        scores[ablated.rows] = answers
        found[f"ablation/{what}/{part}"] = judged.figures(scores, chosen)
    return found


def _curves(
    names: JudgedNames, idn: Judged, graph: JudgedGraph, lone: LoneAnswers, with_graph: GraphAnswers
) -> dict[str, Curves]:
    return {
        STRONG: names.judged.curves(lone.names, names.names.strong),
        ALL: names.judged.curves(lone.names, np.ones(len(lone.names), bool)),
        "idn": idn.curves(lone.idn, np.ones(len(lone.idn), bool)),
        "graph/with-evidence": graph.judged.curves(with_graph.graph, graph.public),
        "graph/name-alone": graph.judged.curves(lone.graph, graph.public),
    }


def _cost(samples: Samples, lone: LoneAnswers, with_graph: GraphAnswers, model_dir: Path) -> Cost:
    return Cost(
        machine=machine(),
        names_per_second=round(len(samples.test.domains) / lone.names_seconds, 1),
        microseconds_per_graph=round(microseconds_per_graph([model_dir], with_graph.ego_graphs)[0], 3),
        weights_bytes=(model_dir / WEIGHTS_FILE).stat().st_size,
    )
