"""Check explanations through the running services: are they true of the model, stable, and quick?

Every figure has its goal beside it; all are measured on names and graph domains of the public tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from explainer.background import load_background
from inference_services.local import LocalSettings, running
from inference_services.processes import HOST, ServiceFailed
from training.data import GRAPH_EDGES, GRAPH_NODES, TEST_NAMES, LabelledGraph, read_graph, read_names
from training.evaluation.services import import_observations, local_settings
from training.explain_figures import Figure, agreements_with, randomised, rules, speed, stability, truth
from training.explained_game import ExplainedGame, explained_game
from training.held_out_rules import HeldOutNames
from training.pools import observation_line
from training.randomised import randomised_version
from training.served import Explanations, ServedModel
from transformer.domain_name import NotADomainName, parse_domain

REPORT_FILE: Final = "explanations.json"
# Domains of the graph, and names without one, to explain.
SAMPLE: Final = 60
HELD_OUT_NAMES: Final = 256
SHUFFLES: Final = 5
SEED: Final = 0


def explain_check(
    data: Path, model_dir: Path, *, sample: int = SAMPLE, shuffles: int = SHUFFLES
) -> list[Figure]:
    """All figures of a version's explanations, from one run; also writes its global report.

    Args:
        data: directory of the data files.
        model_dir: directory of the version.
        sample: how many names, and how many domains of the graph.
        shuffles: how many models of shuffled weights.

    Raises:
        UnusableData: a data file is missing or not of its format.
        UnusableBackground: the version has no background.
        ServiceFailed: a service did not start.
    """
    test, graph = read_names(data / TEST_NAMES), read_graph(data / GRAPH_NODES, data / GRAPH_EDGES)
    rng = np.random.default_rng(SEED)
    names = _some([test.domains[row] for row in np.flatnonzero(test.strong)], sample + HELD_OUT_NAMES, rng)
    domains = [*_some(_public(graph), sample, rng), *names[:sample]]
    with _served(model_dir, graph) as settings:
        write_global_report(settings, data, model_dir)
        served, explanations = ServedModel(settings), Explanations(settings)
        games = _games(served, explanations, model_dir, domains)
        held_out = HeldOutNames(served, names[sample:], rng)
        found = [
            *truth(games, rng),
            *stability(games, domains, explanations),
            *rules(domains, explanations, held_out),
            *speed(domains, explanations),
        ]
    agreements = [
        _agreements_of_shuffled(model_dir, graph, games, domains, seed)
        for seed in tqdm(range(shuffles), desc="models of shuffled weights", disable=None)
    ]
    return [*found, randomised(agreements)]


def _agreements_of_shuffled(
    model_dir: Path, graph: LabelledGraph, games: Sequence[ExplainedGame], domains: Sequence[str], seed: int
) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        shuffled = randomised_version(model_dir, Path(folder), seed)
        with _served(shuffled, graph) as settings:
            return agreements_with(games, domains, Explanations(settings))


def _public(graph: LabelledGraph) -> list[str]:
    return [name for name, part in zip(graph.domains, graph.split, strict=True) if part == "public_test"]


def _some(names: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    # A few nodes of the graph are no domain names.
    readable = [name for name in names if _is_name(name)]
    return [readable[row] for row in rng.choice(len(readable), count, replace=False)]


def _is_name(name: str) -> bool:
    try:
        parse_domain(name)
    except NotADomainName:
        return False
    return True


@contextmanager
def _served(model_dir: Path, graph: LabelledGraph) -> Iterator[LocalSettings]:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "graph-store"
        import_observations([observation_line(*pair) for pair in graph.resolves], store)
        settings = local_settings(model_dir, store)
        with running(settings, explained=True):
            yield settings


def write_global_report(settings: LocalSettings, data: Path, model_dir: Path) -> None:
    """Run the explainer's own command, in a process of its own: kserve and tritonclient cannot share one.

    Raises:
        ServiceFailed: it failed; its own last line has said why.
    """
    command = [sys.executable, "-m", "explainer.global_report", "--names", str(data / TEST_NAMES)]
    command += ["--model_dir", str(model_dir), "--predictor_host", f"{HOST}:{settings.predictor_grpc_port}"]
    command += ["--transformer_host", f"{HOST}:{settings.transformer_grpc_port}"]
    if subprocess.run(command, check=False).returncode:  # noqa: S603
        raise ServiceFailed("the global report could not be written")


def _games(
    served: ServedModel, explanations: Explanations, model_dir: Path, domains: Sequence[str]
) -> list[ExplainedGame]:
    background = load_background(model_dir)
    progress = tqdm(domains, desc="domains explained, and their games played", unit="domains", disable=None)
    return [explained_game(served, explanations, background, domain) for domain in progress]


def table(found: Sequence[Figure]) -> str:
    """The figures as the Markdown table of the model card."""
    lines = ["| explanations | figure | goal | measured on |", "|---|---|---|---|"]
    for figure in found:
        mark = "" if figure.reached else " **missed**"
        sign = "≤" if figure.at_most else "≥"
        lines.append(f"| {figure.what} | {figure.value:.4g}{mark} | {sign} {figure.goal:g} | {figure.over} |")
    return "\n".join(lines)


def write_figures(found: Sequence[Figure], model_dir: Path) -> None:
    """Write the figures beside the weights."""
    document = [asdict(figure) | {"reached": figure.reached} for figure in found]
    (model_dir / REPORT_FILE).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def read_figures(model_dir: Path) -> list[Figure]:
    """The figures that were written for a version, none where it was not checked."""
    path = model_dir / REPORT_FILE
    if not path.exists():
        return []
    rows = json.loads(path.read_text())
    return [Figure(**{key: value for key, value in row.items() if key != "reached"}) for row in rows]
