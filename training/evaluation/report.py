"""What an evaluation found, as people, gates and README read it.

Figures are kept by a path that says whose they are, from the whole to the part:

    names/strong                      the public test without benign rows of weak label quality
    names/all                         with them
    names/strong/category/phishing    malice of one kind against all benign rows; so are source, month, family
    names/strong/benign-source/…      all malice against benign rows of one source
    names/strong/unseen-families      the mean over generator families that no training row is of
    names/strong/fresh-address        the same names, each on an address that nobody else uses
    idn                               internationalised names
    graph/with-evidence               names of the labelled graph in a store of its edges
    graph/name-alone                  the same names in an empty store
    graph/gain-of-evidence            the first less the second, with the interval of the difference
    robustness/…                      rows changed as an attacker would, or as users do
    ablation/…                        the same rows with part of the features or relations taken away
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

REPORT_JSON: Final = "report.json"
REPORT_HTML: Final = "report.html"
FORMAT: Final = 1


class UnusableReport(Exception):
    """A report is missing or not of its format."""


class _Frozen(BaseModel):
    # JSON has no NaN: it would come back as null, and the report be unreadable.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Estimate(_Frozen):
    """A figure with its 95 % interval, by bootstrap over registered domains."""

    value: float
    low: float
    high: float


class Figures(_Frozen):
    """How well scores tell the rows of one group apart.

    Fields:
        tpr_at_fpr_1pct    share of malice found where at most 1 % of the group's benign rows are flagged
        calibration_error  expected calibration error, both classes weighted alike
        accuracy           at a threshold chosen on validation rows; graph only
        flagged_monitor    share of the changed rows at or above the monitor threshold; robustness only
        flagged_block      the same of the block threshold
    """

    rows: int
    malicious: int
    auc: Estimate
    average_precision: Estimate
    tpr_at_fpr_1pct: Estimate
    tpr_at_fpr_01pct: Estimate
    calibration_error: Estimate
    accuracy: Estimate | None = None
    flagged_monitor: Estimate | None = None
    flagged_block: Estimate | None = None


class Curves(_Frozen):
    """Points to draw: the ROC, precision over recall, and the share of malice over the score."""

    roc: list[tuple[float, float]]
    precision_recall: list[tuple[float, float]]
    reliability: list[tuple[float, float, int]]


class Cost(_Frozen):
    """What scoring costs, on the machine that is named; ratios are of one run.

    Fields:
        names_per_second        through transformer and predictor, in batches
        microseconds_per_graph  of one core, the model alone on joined batches
        weights_bytes           size of the checkpoint
    """

    machine: str
    names_per_second: float
    microseconds_per_graph: float
    weights_bytes: int


class Report(_Frozen):
    """Everything an evaluation found of one version and of the baselines of the same run.

    Fields:
        sampled    from a part of the rows only (`--quick`): shows that all works, judges nothing
        data       SHA-256 of each data file
        figures    by path
        baselines  by the baseline's name, then by path
        curves     by path; at most 200 points each
    """

    format: int = FORMAT
    created: str
    sampled: bool = False
    model_version: str
    feature_schema: str
    weights_sha256: str
    data: dict[str, str]
    figures: dict[str, Figures]
    baselines: dict[str, dict[str, Figures]]
    curves: dict[str, Curves]
    cost: Cost


def write(report: Report, directory: Path) -> None:
    """Keep a report beside the weights that it is of."""
    (directory / REPORT_JSON).write_text(report.model_dump_json(indent=1) + "\n")


def read(directory: Path) -> Report:
    """The report of a version.

    Raises:
        UnusableReport: there is none, or it is not of this format.
    """
    path = directory / REPORT_JSON
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as problem:
        raise UnusableReport(f"{path}: {problem.strerror}: run `make evaluate` first") from None
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UnusableReport(f"{path}: {place}: {first['msg']}, got {first['input']!r:.80}") from None
