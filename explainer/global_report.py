"""`python -m explainer.global_report`: what a model version listens to, over the names of a labelled file.

Asks a running transformer for features and a running predictor for scores, and writes pictures, figures and a
page of them into the version's directory.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from contract.errors import RiskError
from contract.graphs import DomainGraphs, union
from contract.tensors import DOMAIN, RISK_MODEL
from explainer.background import UnusableBackground, load_background
from explainer.features import FeaturesClient
from explainer.global_effects import Effect, Importance, effects, importances
from explainer.global_plots import plot_effects, plot_importances
from explainer.name_table import NameTable
from explainer.perturbation import NameSet
from explainer.scoring import check_version
from serving.deadline import Deadline
from serving.predictor_client import PredictorClient

logger = logging.getLogger(__name__)

FOLDER: Final = "global"
NAMES_A_REQUEST: Final = 256
GRAPHS_A_CALL: Final = 512
CALL_S: Final = 60.0


class Unreadable(Exception):
    """The file of names cannot be used; the message is one line."""


class Services:
    """Transformer and predictor, asked one call after another."""

    def __init__(self, runner: asyncio.Runner, transformer: str, predictor: str, model_version: str) -> None:
        self._run = runner.run
        self._features = FeaturesClient(transformer)
        self._predictor = PredictorClient(predictor, RISK_MODEL)
        self.model_version = model_version

    def graphs(self, names: Sequence[str]) -> tuple[DomainGraphs, np.ndarray]:
        """The ego-graphs of names, and which of the inputs were names."""
        graphs, rows = [], []
        for first in tqdm(range(0, len(names), NAMES_A_REQUEST), desc="features of names", disable=None):
            column = np.array([name.encode() for name in names[first : first + NAMES_A_REQUEST]], object)
            cut, kept = self._run(self._features.graphs({DOMAIN.name: column}, Deadline.after(CALL_S), {}))
            graphs.append(cut)
            rows.append(kept + first)
        return union(graphs), np.concatenate(rows)

    def risk(self, graphs: DomainGraphs) -> np.ndarray:
        """The risk scores of graphs.

        Raises:
            FeatureSchemaMismatch: the predictor serves another model version.
        """
        scored = self._run(self._predictor.score(graphs, Deadline.after(CALL_S), {}))
        check_version(scored.parameters, self.model_version)
        return scored.risk_score.astype(np.float64)

    def close(self) -> None:
        """Close both channels."""
        self._run(self._features.close())
        self._run(self._predictor.close())


def read_names(path: Path, sample: int, seed: int) -> tuple[list[str], np.ndarray]:
    """A sample of the names of a labelled CSV file (gzip or plain), and whether each is malicious.

    Benign names of weak label quality are left out where the file says so.

    Raises:
        Unreadable: no such file, or without the columns domain and label.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            rows = [(row["domain"], row["label"] == "1") for row in csv.DictReader(file) if _is_strong(row)]
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise Unreadable(f"{path}: {error!r}: expected a CSV file with columns domain and label") from None
    if not rows:
        raise Unreadable(f"{path}: expected names, got none")
    chosen = np.random.default_rng(seed).permutation(len(rows))[:sample]
    return [rows[row][0] for row in chosen], np.array([rows[row][1] for row in chosen])


def _is_strong(row: dict[str, str]) -> bool:
    return row["label"] == "1" or row.get("label_quality") != "weak"


def report(services: Services, names: Sequence[str], malicious: np.ndarray, folder: Path, seed: int) -> None:
    """Compute everything, then write pictures, figures and page.

    Raises:
        RiskError: a service refused.
    """
    graphs, rows = services.graphs(names)
    table = NameTable(NameSet.of_targets(graphs))
    predict = batched(lambda part: services.risk(table.graphs(part)))
    logger.info("permutation importance over %d names", len(rows))
    important = importances(predict, table.rows(), malicious[rows], seed)
    logger.info("accumulated local effects")
    local = effects(predict, table.rows())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "importance.svg").write_text(plot_importances(important))
    (folder / "effects.svg").write_text(plot_effects(local))
    (folder / "global.json").write_text(_document(services.model_version, len(rows), seed, important, local))
    (folder / "README.md").write_text(_page(services.model_version, len(rows), important))


def batched(score: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """The same function for any number of rows."""

    def all_rows(rows: np.ndarray) -> np.ndarray:
        parts = [score(rows[first : first + GRAPHS_A_CALL]) for first in range(0, len(rows), GRAPHS_A_CALL)]
        return np.concatenate(parts)

    return all_rows


def _document(
    version: str, names: int, seed: int, important: Sequence[Importance], local: Sequence[Effect]
) -> str:
    content = {
        "model_version": version,
        "names": names,
        "seed": seed,
        "importance": [asdict(each) for each in important],
        "effects": [asdict(each) for each in local],
    }
    return json.dumps(content, indent=2) + "\n"


def _page(version: str, names: int, important: Sequence[Importance]) -> str:
    rows = "\n".join(f"| {each.trait} | {each.fall:.3f} ± {each.deviation:.3f} |" for each in important)
    return f"""# What model version {version} listens to

Over {names:,} labelled names, each without neighbours. A trait is a group of features with the part of the
name's text that belongs to it.

## Importance

By how much the AUC falls when a trait is exchanged between names.

| trait | fall of the AUC |
|---|---|
{rows}

![Importance of traits](importance.svg)

## Effects

How the risk score moves with one feature while the others and the text stay (accumulated local effects).

![Effects of features](effects.svg)

Written by `python -m explainer.global_report`; the numbers are in `global.json`.
"""


def main(arguments: Sequence[str]) -> int:
    """Write the report; the result is the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        version = load_background(options.model_dir).config.model_version
        names, malicious = read_names(options.names, options.sample, options.seed)
        with asyncio.Runner() as runner:
            services = Services(runner, options.transformer, options.predictor, version)
            report(services, names, malicious, options.model_dir / FOLDER, options.seed)
            services.close()
    except (Unreadable, UnusableBackground, RiskError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{options.model_dir / FOLDER}: what model version {version} listens to")
    return 0


def _parser() -> argparse.ArgumentParser:
    shared = Path(os.environ.get("DNS_RISK_SHARED", "../shared"))
    parser = argparse.ArgumentParser(prog="python -m explainer.global_report", description=__doc__)
    parser.add_argument("--names", type=Path, default=shared / "data" / "domains_public_test.csv.gz")
    parser.add_argument("--sample", type=int, default=4000, help="names to look at")
    parser.add_argument("--model_dir", type=Path, default=Path("models/dns-risk/1"))
    parser.add_argument("--transformer", default="127.0.0.1:8081", help="host:port of its gRPC")
    parser.add_argument("--predictor", default="127.0.0.1:8083", help="host:port of its gRPC")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
