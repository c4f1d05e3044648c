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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from contract.errors import RiskError
from contract.graphs import DomainGraphs
from explainer.background import GLOBAL_FOLDER, UnusableBackground, load_background
from explainer.global_effects import Effect, Importance, effects, importances
from explainer.global_plots import plot_effects, plot_importances
from explainer.name_table import NameTable
from explainer.perturbation import NameSet

logger = logging.getLogger(__name__)

GRAPHS_A_CALL: Final = 512


# What a row's label says of malice.
_LABELS: Final = {"0": False, "1": True}


class Unreadable(Exception):
    """The file of names cannot be used; the message is one line."""


def read_names(path: Path, sample: int, seed: int) -> tuple[list[str], np.ndarray]:
    """A sample of the names of a labelled CSV file (gzip or plain), and whether each is malicious.

    Benign names of weak label quality are left out where the file says so.

    Raises:
        Unreadable: no such file, or without the columns domain and label.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            rows = [(row["domain"], _LABELS[row["label"]]) for row in csv.DictReader(file) if _is_strong(row)]
    except (OSError, EOFError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise Unreadable(f"{path}: {error!r}: expected a CSV file with columns domain and label") from None
    if len({malicious for _, malicious in rows}) < 2:
        raise Unreadable(f"{path}: expected benign and malicious names, got {len(rows)} of one kind")
    chosen = np.random.default_rng(seed).permutation(len(rows))[:sample]
    return [rows[row][0] for row in chosen], np.array([rows[row][1] for row in chosen])


def _is_strong(row: dict[str, str]) -> bool:
    return row["label"] == "1" or row.get("label_quality") != "weak"


@dataclass(frozen=True, slots=True)
class Version:
    """The model version that is looked at, and where its report goes."""

    name: str
    folder: Path
    seed: int


def report(
    version: Version,
    graphs: DomainGraphs,
    malicious: np.ndarray,
    risk: Callable[[DomainGraphs], np.ndarray],
) -> None:
    """Compute everything, then write pictures, figures and page.

    Args:
        version: what is looked at.
        graphs: the ego-graphs of some names; their neighbours are left out.
        malicious: the label of each.
        risk: the served score of up to GRAPHS_A_CALL graphs.
    """
    table = NameTable(NameSet.of_targets(graphs))
    predict = batched(lambda rows: risk(table.graphs(rows)))
    logger.info("permutation importance over %d names", graphs.graph_count)
    important = importances(predict, table.rows(), malicious, version.seed)
    logger.info("accumulated local effects")
    local = effects(predict, table.rows())
    version.folder.mkdir(parents=True, exist_ok=True)
    (version.folder / "importance.svg").write_text(plot_importances(important))
    (version.folder / "effects.svg").write_text(plot_effects(local))
    (version.folder / "global.json").write_text(_document(version, graphs.graph_count, important, local))
    (version.folder / "README.md").write_text(_page(version.name, graphs.graph_count, important))


def batched(score: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """The same function for any number of rows."""

    def all_rows(rows: np.ndarray) -> np.ndarray:
        parts = [score(rows[first : first + GRAPHS_A_CALL]) for first in range(0, len(rows), GRAPHS_A_CALL)]
        return np.concatenate(parts)

    return all_rows


def _document(version: Version, names: int, important: Sequence[Importance], local: Sequence[Effect]) -> str:
    content = {
        "model_version": version.name,
        "names": names,
        "seed": version.seed,
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
    # KServe reads the command line while it is imported, and would answer --help in our place.
    from explainer.global_services import Services  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        name = load_background(options.model_dir).config.model_version
        version = Version(name, options.model_dir / GLOBAL_FOLDER, options.seed)
        names, malicious = read_names(options.names, options.sample, options.seed)
        with asyncio.Runner() as runner:
            services = Services(runner, options.transformer_host, options.predictor_host, name)
            graphs, rows = services.graphs(names)
            report(version, graphs, malicious[rows], services.risk)
            services.close()
    except (Unreadable, UnusableBackground, RiskError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{version.folder}: what model version {name} listens to")
    return 0


def _parser() -> argparse.ArgumentParser:
    shared = Path(os.environ.get("DNS_RISK_SHARED", "../shared"))
    parser = argparse.ArgumentParser(prog="python -m explainer.global_report", description=__doc__)
    parser.add_argument("--names", type=Path, default=shared / "data" / "domains_public_test.csv.gz")
    parser.add_argument("--sample", type=_positive, default=4000, help="names to look at")
    parser.add_argument("--model_dir", type=Path, default=Path("models/dns-risk/2"))
    parser.add_argument("--transformer_host", default="127.0.0.1:8081", help="host:port of its gRPC")
    parser.add_argument("--predictor_host", default="127.0.0.1:8083", help="host:port of its gRPC")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a positive integer, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
