"""The gate's policy: what a candidate must reach, read strictly from TOML."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from training.evaluation.report import Estimate, Figures

DEFAULT_POLICY: Final = Path(__file__).parents[1] / "gate.toml"
METRICS: Final = tuple(
    name for name, field in Figures.model_fields.items() if field.annotation in (Estimate, Estimate | None)
)
LOWER_IS_BETTER: Final = frozenset({"calibration_error"})

Share = Annotated[float, Field(ge=0, le=1)]


class UnusablePolicy(Exception):
    """The policy file cannot be read, or a key is unknown or out of range."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SameTests(_Section):
    """What both reports must have in common to be compared at all.

    Fields:
        feature_schema  whether both were built from the same features
        files           globs of data files whose fingerprints must agree
        diagnostic      globs of figures that the baseline may have alone
    """

    feature_schema: bool
    files: Annotated[tuple[str, ...], Field(min_length=1)]
    diagnostic: tuple[str, ...] = ()


class CostLimits(_Section):
    """Limits of what scoring costs; ratios are candidate by baseline."""

    max_microseconds_ratio: Annotated[float, Field(gt=0)]
    max_weights_bytes: Annotated[int, Field(gt=0)]


class Rule(_Section):
    """What a metric of some figures must reach.

    Fields:
        figure           path, a glob in each part: `*` does not cross a slash
        metric           a field of `training.evaluation.report.Figures`
        at_least         lowest value
        at_most          highest value
        no_worse_by      how much worse than the baseline's it may be
        confident        a loss against the baseline counts only where the intervals do not meet
        lower_is_better  default: by the metric
    """

    figure: Annotated[str, Field(min_length=1)]
    metric: str
    at_least: Share | None = None
    at_most: Share | None = None
    no_worse_by: Share | None = None
    confident: bool = False
    lower_is_better: bool | None = None

    @field_validator("metric")
    @classmethod
    def _check_metric(cls, metric: str) -> str:
        if metric not in METRICS:
            raise ValueError(f"expected one of {', '.join(METRICS)}")
        return metric

    @model_validator(mode="after")
    def _check_bounds(self) -> Rule:
        if self.at_least is None and self.at_most is None and self.no_worse_by is None:
            raise ValueError("expected at_least, at_most or no_worse_by")
        if self.confident and self.no_worse_by is None:
            raise ValueError("confident is about a loss: expected no_worse_by")
        return self

    @property
    def falling(self) -> bool:
        """Whether less is better."""
        return self.metric in LOWER_IS_BETTER if self.lower_is_better is None else self.lower_is_better


class Policy(_Section):
    """The whole file."""

    same_tests: SameTests
    cost: CostLimits
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


def read_policy(path: Path = DEFAULT_POLICY) -> tuple[Policy, str]:
    """The policy of a file, and the file's SHA-256.

    Raises:
        UnusablePolicy: with the key, what was expected and what came.
    """
    try:
        content = path.read_bytes()
        return Policy.model_validate(tomllib.loads(content.decode())), hashlib.sha256(content).hexdigest()
    except OSError as problem:
        raise UnusablePolicy(f"{path}: {problem.strerror}: expected a gate policy") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UnusablePolicy(f"{path}: {problem}") from None
    except ValidationError as problem:
        raise UnusablePolicy(f"{path}: {_first_of(problem)}") from None


def _first_of(problem: ValidationError) -> str:
    first = problem.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{place}: no such key"
    if first["type"] == "missing":
        return f"{place}: a key that must be there"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}, got {first['input']!r:.80}"
