"""A finished version as one MLflow run and one version of the registry; weights and reports, never data."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm

from predictor.checkpoint import WEIGHTS_FILE, ModelConfig
from training.data import sha256
from training.evaluation.report import REPORT_JSON, Report, UnusableReport, read
from training.lineage import code_commit, recipe_sha256
from training.registry.store import MODEL, RegistryFailed, artifact_root
from training.registry.versions import (
    PARENT_TAG,
    STABLE,
    VERSION_TAG,
    WEIGHTS_TAG,
    Tracked,
    aliases,
    find,
    of_weights,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Figures that a list of versions is read by; the report has them all.
HEADLINE: Final = (
    "names/strong",
    "names/all",
    "names/strong/unseen-families",
    "names/strong/fresh-address",
    "idn",
    "graph/with-evidence",
    "graph/name-alone",
)
METRICS: Final = ("auc", "tpr_at_fpr_1pct", "tpr_at_fpr_01pct", "calibration_error", "accuracy")
# Weights, configuration, cards, reports, plots. Labelled data has other endings and stays where it is.
ARTEFACTS: Final = frozenset({".safetensors", ".json", ".md", ".html", ".svg", ".png", ".npz"})
MOST_FILES: Final = 200
MOST_BYTES: Final = 256_000_000
_PART: Final = 100


def track(config: ModelConfig, directory: Path, client: MlflowClient, uri: str, parent: str = "") -> Tracked:
    """Log a version's directory and register it; the same weights again bring their version up to date.

    Args:
        config: of the version.
        directory: where it lies.
        client: of the store.
        uri: of the same.
        parent: number or alias of the version that this one is to follow; "" for the stable one, if any.

    Raises:
        RegistryFailed: the weights are not those of the configuration, files are too many, or no such parent.
        UnusableReport: a report that is not of its format, of other weights, or of a sample.
    """
    if sha256(directory / WEIGHTS_FILE) != config.weights_sha256:
        raise RegistryFailed(f"{directory / WEIGHTS_FILE}: not the weights that config.json names")
    report, files = _report(config, directory), artefacts(directory)
    before = of_weights(client, config.version, config.weights_sha256)
    lineage = _lineage(config, report, _parent(client, parent, before))
    run_id = before.run_id if before else _new_run(client, uri, config)
    try:
        _log(client, run_id, config, report, lineage)
        _upload(client, run_id, config, directory, files)
    except BaseException:
        client.set_terminated(run_id, status="FINISHED" if before else "FAILED")
        raise
    client.set_terminated(run_id)
    number = _brought_up(client, before, lineage) if before else _registered(client, run_id, config, lineage)
    return find(client, number)


def artefacts(directory: Path) -> list[Path]:
    """The files of a version that are kept, in order.

    Raises:
        RegistryFailed: too many or too large to be a version.
    """
    # A link may lead out of the version, to data for one.
    found = sorted(
        path
        for path in directory.rglob("*")
        if path.suffix in ARTEFACTS and path.is_file() and not path.is_symlink()
    )
    size = sum(path.stat().st_size for path in found)
    if len(found) > MOST_FILES or size > MOST_BYTES:
        raise RegistryFailed(
            f"{directory}: {len(found)} files of {size:,} bytes: expected a version of at most {MOST_FILES} "
            f"files and {MOST_BYTES:,} bytes"
        )
    return found


def headline(report: Report) -> dict[str, float]:
    """The figures of a report that go with a run, by path and metric."""
    figures = {
        f"{path}/{metric}": estimate.value
        for path in HEADLINE
        if path in report.figures
        for metric in METRICS
        if (estimate := getattr(report.figures[path], metric)) is not None
    }
    cost = report.cost
    return figures | {
        "cost/microseconds_per_graph": cost.microseconds_per_graph,
        "cost/names_per_second": cost.names_per_second,
        "cost/weights_bytes": float(cost.weights_bytes),
    }


def _report(config: ModelConfig, directory: Path) -> Report | None:
    if not (directory / REPORT_JSON).exists():
        return None
    report = read(directory)
    if report.weights_sha256 != config.weights_sha256:
        raise UnusableReport(f"{directory / REPORT_JSON}: of other weights: run `make evaluate` again")
    if report.sampled:
        raise UnusableReport(f"{directory / REPORT_JSON}: of a sample of the rows: run `make evaluate`")
    return report


def _parent(client: MlflowClient, asked: str, before: Tracked | None) -> str:
    if asked:
        return str(find(client, asked).number)
    if before:
        # It may have become the stable one itself.
        return before.tags.get(PARENT_TAG, "")
    stable = aliases(client).get(STABLE)
    return "" if stable is None else str(stable)


def _lineage(config: ModelConfig, report: Report | None, parent: str) -> dict[str, str]:
    tests = report.data if report else {}
    found = {
        VERSION_TAG: config.version,
        WEIGHTS_TAG: config.weights_sha256,
        PARENT_TAG: parent,
        "code_commit": code_commit(),
        "recipe_sha256": recipe_sha256(config),
        "feature_schema": config.feature_schema,
        "suffix_list": config.suffix_list,
        **{f"trained_on.{name}": digest for name, digest in config.trained_on.items()},
        **{f"tested_on.{name}": digest for name, digest in tests.items()},
    }
    return {name: value for name, value in found.items() if value}


def _new_run(client: MlflowClient, uri: str, config: ModelConfig) -> str:
    found = client.get_experiment_by_name(MODEL)
    experiment = found.experiment_id if found else client.create_experiment(MODEL, artifact_root(uri))
    return str(client.create_run(experiment, run_name=config.version).info.run_id)


def _log(
    client: MlflowClient,
    run_id: str,
    config: ModelConfig,
    report: Report | None,
    lineage: Mapping[str, str],
) -> None:
    from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415  there is a client, so it is imported already

    now = int(time.time() * 1000)
    figures = config.metrics | (headline(report) if report else {})
    metrics = [Metric(name, value, now, 0) for name, value in figures.items()]
    params = [Param(name, str(value)) for name, value in config.training.items()]
    tags = [RunTag(name, value) for name, value in lineage.items()]
    for kind, entries in {"metrics": metrics, "params": params, "tags": tags}.items():
        for part in _parts(entries):
            client.log_batch(run_id, **{kind: part})


def _parts(entries: list[Any]) -> Iterator[list[Any]]:
    """MLflow takes a hundred parameters or tags at a time."""
    return (entries[first : first + _PART] for first in range(0, len(entries), _PART))


def _upload(
    client: MlflowClient, run_id: str, config: ModelConfig, directory: Path, files: list[Path]
) -> None:
    for path in tqdm(files, desc="files kept", unit="files", disable=None):
        # The folder is named for the version: a storageUri ends with it, and the rollout reads it there.
        folder = Path(config.version) / path.relative_to(directory).parent
        client.log_artifact(run_id, str(path), folder.as_posix())


def _registered(client: MlflowClient, run_id: str, config: ModelConfig, lineage: dict[str, str]) -> str:
    if not client.search_registered_models(f"name = '{MODEL}'", max_results=1):
        client.create_registered_model(MODEL, description="Risk scores for DNS names")
    source = f"{client.get_run(run_id).info.artifact_uri}/{config.version}"
    return str(client.create_model_version(MODEL, source, run_id, tags=lineage).version)


def _brought_up(client: MlflowClient, before: Tracked, lineage: Mapping[str, str]) -> str:
    for name, value in lineage.items():
        client.set_model_version_tag(MODEL, str(before.number), name, value)
    return str(before.number)
