"""Judge a version by *served* scores: names and graph go through the running services, as a client's do."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
from tqdm import tqdm
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import serialize_byte_tensor

from contract.tensors import ANSWERS, CATEGORIES, DOMAIN, RISK_MODEL
from inference_services.local import LocalSettings, running
from inference_services.processes import HOST, free_ports
from training.baselines import hetero_sage, ngram_regression, read_published_graph
from training.data import (
    GRAPH_EDGES,
    GRAPH_NODES,
    IDN_NAMES,
    TEST_NAMES,
    TRAIN_NAMES,
    LabelledNames,
    read_graph,
    read_names,
)
from training.figures import best_accuracy_threshold, expected_calibration_error, figures
from training.pools import observation_line

REPORT_FILE: Final = "evaluation.json"
NAMES_A_REQUEST: Final = 256
REQUESTS_IN_FLIGHT: Final = 4

Report = dict[str, dict[str, Any]]


def evaluate(data: Path, model_dir: Path) -> Report:
    """All figures of a version and of its baselines, from one run.

    Raises:
        UnusableData: a data file is missing or not of its format.
        ServiceFailed: a service did not start.
    """
    test, idn = read_names(data / TEST_NAMES), read_names(data / IDN_NAMES)
    graph = read_graph(data / GRAPH_NODES, data / GRAPH_EDGES)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "graph-store"
        import_observations([observation_line(*pair) for pair in graph.resolves], store)
        settings = local_settings(model_dir, store)
        with running(settings):
            port = settings.transformer_grpc_port
            scores = asyncio.run(served_scores(test.domains, port))
            idn_scores = asyncio.run(served_scores(idn.domains, port))
            decoys = asyncio.run(served_scores(test.domains, port, ["A 198.18.0.1"] * len(test.domains)))
            graph_scores = asyncio.run(served_scores(graph.domains, port))
    published = read_published_graph(data / GRAPH_NODES, data / GRAPH_EDGES)
    malicious, val, public = graph.label == 1, graph.split == "val", graph.split == "public_test"
    sage = [_graph_figures(malicious, score, val, public) for score in hetero_sage(published)]
    train = read_names(data / TRAIN_NAMES)
    baseline = ngram_regression(train.domains, train.malicious, [*test.domains, *idn.domains])
    count = len(test.domains)
    return {
        "names, strong rows": _name_figures(test, scores, test.strong),
        "  n-gram regression": _name_figures(test, baseline[:count], test.strong),
        "  on a fresh address": _name_figures(test, decoys, test.strong),
        "names, all rows": _name_figures(test, scores, np.ones(count, bool)),
        "  n-gram regression, all rows": _name_figures(test, baseline[:count], np.ones(count, bool)),
        "IDN names": _name_figures(idn, idn_scores, np.ones(len(idn.domains), bool)),
        "  n-gram regression, IDN": _name_figures(idn, baseline[count:], np.ones(len(idn.domains), bool)),
        **{f"  strong, {kind}": _one_kind(test, scores, kind) for kind in CATEGORIES[1:]},
        "graph": _graph_figures(malicious, graph_scores, val, public),
        "  hetero GraphSAGE": {key: float(np.mean([run[key] for run in sage])) for key in sage[0]},
    }


def local_settings(model_dir: Path, store: Path) -> LocalSettings:
    """The services on free ports, over a model version and a graph store."""
    ports = free_ports(6)
    return LocalSettings(
        transformer_rest_port=ports[0],
        transformer_grpc_port=ports[1],
        predictor_rest_port=ports[2],
        predictor_grpc_port=ports[3],
        explainer_rest_port=ports[4],
        explainer_grpc_port=ports[5],
        model_dir=model_dir,
        graph_store=store,
    )


def import_observations(lines: Sequence[bytes], store: Path) -> None:
    """Feed observations to the graph store's own command, as an operator does."""
    command = [sys.executable, "-m", "transformer.graph_store", "import", "-", "--store", str(store)]
    subprocess.run(command, input=b"\n".join(lines), check=True, stdout=subprocess.DEVNULL)  # noqa: S603


async def served_scores(
    domains: Sequence[str], port: int, answers: Sequence[str] | None = None
) -> np.ndarray:
    """The risk score of every name, asked over gRPC; -1 for what is no domain name."""
    scores = np.full(len(domains), np.nan, np.float32)
    limit = asyncio.Semaphore(REQUESTS_IN_FLIGHT)
    async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        progress = tqdm(total=len(domains), desc="names scored by the services", unit="names", disable=None)

        async def ask(first: int) -> None:
            part = slice(first, first + NAMES_A_REQUEST)
            request = request_of(domains[part], answers[part] if answers else None)
            async with limit:
                answer = await stub.ModelInfer(request, timeout=60)
            scores[part] = output_of(answer, "risk_score")
            progress.update(len(domains[part]))

        await asyncio.gather(*(ask(first) for first in range(0, len(domains), NAMES_A_REQUEST)))
        progress.close()
    return scores


def request_of(domains: Sequence[str], answers: Sequence[str] | None = None) -> Any:
    """A v2 request for the scores of some names."""
    request = service_pb2.ModelInferRequest(model_name=RISK_MODEL)
    for name, values in ((DOMAIN.name, domains), (ANSWERS.name, answers)):
        if values is not None:
            request.inputs.add(name=name, datatype="BYTES", shape=[len(values)])
            encoded = serialize_byte_tensor(np.array([value.encode() for value in values], object))
            request.raw_input_contents.append(encoded.item())
    return request


def output_of(answer: Any, name: str) -> np.ndarray:
    """One FP32 output of an answer."""
    place = [output.name for output in answer.outputs].index(name)
    return np.frombuffer(answer.raw_output_contents[place], np.float32)


def _name_figures(names: LabelledNames, scores: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    scored = rows & (scores >= 0)
    found = asdict(figures(names.malicious[scored], scores[scored]))
    error = expected_calibration_error(names.malicious[scored], scores[scored])
    return {**found, "calibration_error": error, "mean": float(scores[scored].mean())}


def _one_kind(names: LabelledNames, scores: np.ndarray, kind: str) -> dict[str, Any]:
    rows = names.strong & (~names.malicious | (names.category == CATEGORIES.index(kind)))
    return _name_figures(names, scores, rows)


def _graph_figures(
    malicious: np.ndarray, scores: np.ndarray, val: np.ndarray, public: np.ndarray
) -> dict[str, Any]:
    val, public = val & (scores >= 0), public & (scores >= 0)
    threshold = best_accuracy_threshold(malicious[val], scores[val])
    accuracy = float(((scores[public] >= threshold) == malicious[public]).mean())
    return {**asdict(figures(malicious[public], scores[public])), "accuracy": accuracy}


def table(report: Report) -> str:
    """The report as the Markdown table of README and model card."""
    lines = [
        "| served scores on | AUC | TPR @ FPR 1 % | TPR @ FPR 0.1 % | accuracy | rows |",
        "|---|---|---|---|---|---|",
    ]
    for what, found in report.items():
        accuracy = f"{found['accuracy']:.3f}" if "accuracy" in found else ""
        lines.append(
            f"| {what.replace('  ', '&nbsp;&nbsp;')} | {found['auc']:.3f} | {found['tpr_at_fpr_1pct']:.3f} | "
            f"{found['tpr_at_fpr_01pct']:.3f} | {accuracy} | {int(found['rows']):,} |"
        )
    return "\n".join(lines)


def write_report(report: Report, model_dir: Path) -> None:
    """Keep the figures beside the weights that they are of."""
    (model_dir / REPORT_FILE).write_text(json.dumps(report, indent=2) + "\n")


def read_report(model_dir: Path) -> Report:
    """The figures that were kept for a version, none where it was not evaluated."""
    path = model_dir / REPORT_FILE
    report: Report = json.loads(path.read_text()) if path.exists() else {}
    return report
