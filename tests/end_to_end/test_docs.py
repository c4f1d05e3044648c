"""The tables of docs/ list what the code has: settings, metrics, errors, tensors."""

from __future__ import annotations

import json

import pytest
from prometheus_client import CollectorRegistry

from contract.errors import ERRORS
from contract.tensors import CLIENT_INPUTS, CLIENT_OUTPUTS
from explainer.options import ExplainOptions
from explainer.settings import ExplainerSettings
from inference_services.local import LocalSettings
from predictor.checkpoint import load_config
from predictor.settings import PredictorSettings
from serving.metrics import (
    AnswerMetrics,
    BatcherMetrics,
    BuildMetrics,
    ExplanationMetrics,
    FeatureMetrics,
)
from serving.request_metrics import RequestMetrics
from serving.settings import ENV_PREFIX, ServingSettings
from tests.end_to_end.documents import table_rows
from tests.services import SHIPPED_MODEL
from tests.serving.server_process import REPOSITORY
from training.evaluation.readme import renewed
from training.evaluation.report import read
from training.explain_check import read_figures, table
from transformer.settings import TransformerSettings

EXPLANATIONS = REPOSITORY / "docs" / "explanations.md"
README = REPOSITORY / "README.md"
OPERATIONS = REPOSITORY / "docs" / "operations.md"
API = REPOSITORY / "docs" / "api.md"


def described(kind: type[ServingSettings]) -> dict[str, list[str]]:
    """Default and docstring of each field, as the tables show them."""
    return {
        f"{ENV_PREFIX}{name.upper()}": [
            "unset" if field.default is None else f"`{field.default}`",
            field.description or "",
        ]
        for name, field in kind.model_fields.items()
    }


def test_every_setting_is_listed_with_default_and_docstring() -> None:
    """The tables hold the fields of all services, no more, no less, in the words of their docstrings."""
    kinds = (PredictorSettings, TransformerSettings, ExplainerSettings)
    expected = {name: row for kind in kinds for name, row in described(kind).items()}
    assert table_rows(OPERATIONS, ENV_PREFIX) == expected


def test_every_local_setting_is_listed_with_its_default() -> None:
    """So does the table of `make run`."""
    for name, field in LocalSettings.model_fields.items():
        assert table_rows(OPERATIONS, name.upper())[name.upper()][0] == f"`{field.default}`"


@pytest.mark.parametrize(
    "kind",
    [RequestMetrics, BuildMetrics, BatcherMetrics, FeatureMetrics, AnswerMetrics, ExplanationMetrics],
)
def test_every_metric_is_listed_with_its_help(kind: type) -> None:
    """The tables hold each metric by the name that Prometheus sees."""
    registry = CollectorRegistry()
    kind(registry)
    rows = table_rows(OPERATIONS, "dns_risk_")
    for metric in registry.collect():
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        assert rows[name] == [metric.type, metric.documentation]


def test_every_error_is_listed_with_its_statuses() -> None:
    """The error table is the tree of contract.errors."""
    for error in ERRORS:
        row = table_rows(API, error.__name__)[error.__name__]
        assert row[:2] == [str(error.http_status), f"`{error.grpc_status}`"]


def test_every_client_tensor_is_listed() -> None:
    """The tensor table has the names, datatypes and shapes of the contract."""
    table = API.read_text()
    for kind, specs in (("in", CLIENT_INPUTS), ("out", CLIENT_OUTPUTS)):
        for spec in specs:
            shape = ", ".join("n" if axis == -1 else str(axis) for axis in spec.shape)
            assert f"| {kind} | `{spec.name}` | {spec.datatype} | `[{shape}]` |" in table


def test_every_parameter_of_explanations_is_listed() -> None:
    """The table has each with its default, in the words of its docstring."""
    for name, field in ExplainOptions.model_fields.items():
        default = json.dumps(field.default)
        assert table_rows(EXPLANATIONS, name)[name] == [f"`{default}`", field.description]


def test_figures_of_quality_are_those_of_the_shipped_model() -> None:
    """README shows the report that lies beside the weights: `make figures` would change nothing."""
    page = README.read_text()
    assert renewed(page, read(SHIPPED_MODEL)) == page
    assert read(SHIPPED_MODEL).weights_sha256 == load_config(SHIPPED_MODEL).weights_sha256


def test_figures_of_explanations_are_those_of_the_shipped_model() -> None:
    """What README shows of `make explain-check` is what the command wrote beside the weights."""
    rows = [line for line in README.read_text().splitlines() if line.startswith("|")]
    checked = [table([figure]).splitlines()[-1] for figure in read_figures(SHIPPED_MODEL)]
    names = {row.split(" | ")[0] for row in checked}
    shown = [row for row in rows if row.split(" | ")[0] in names]
    assert len(shown) >= 5
    assert set(shown) <= set(checked)
