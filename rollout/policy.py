"""The policy file: thresholds that a canary is judged by, read strictly."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

DEFAULT_POLICY: Final = Path(__file__).parent / "policy.toml"

Seconds = Annotated[float, Field(gt=0, le=604_800)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(ge=1)]


class UnusablePolicy(Exception):
    """The policy file cannot be read, or a key is unknown or out of range."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Patience(_Section):
    """How long is waited, in seconds."""

    min_step_s: Seconds
    max_step_s: Seconds
    max_window_s: Seconds
    ready_s: Seconds
    blind_s: Seconds


class Traffic(_Section):
    """What a version must have answered before it can be judged good."""

    min_requests: Count
    min_names: Count


class Errors(_Section):
    """Limits of failures."""

    max_increase: Share
    slo: Annotated[float, Field(gt=0, lt=1)]
    max_burn_rate: Annotated[float, Field(gt=0)]


class Latency(_Section):
    """Limits of slowness."""

    max_p95_ratio: Ratio
    max_p99_ratio: Ratio
    floor_ms: Annotated[float, Field(ge=0)]


class Answers(_Section):
    """Limits of change in what clients are told."""

    max_action_shift: Share
    max_category_shift: Share
    max_psi: Annotated[float, Field(gt=0)]


class Feedback(_Section):
    """Limits of what analysts' labels say; 0 labels: not asked for."""

    min_labels: Count
    max_precision_drop: Share


class Gate(_Section):
    """Whether a rollout needs the verdict of `python -m training gate`."""

    required: bool = False


class Policy(_Section):
    """The whole file."""

    steps: tuple[int, ...]
    patience: Patience
    traffic: Traffic
    errors: Errors
    latency: Latency
    answers: Answers
    feedback: Feedback
    gate: Gate = Gate()

    @field_validator("steps")
    @classmethod
    def _check_steps(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        return check_steps(steps)


def check_steps(steps: tuple[int, ...]) -> tuple[int, ...]:
    """The same steps.

    Raises:
        ValueError: they do not rise from above 0 to 100.
    """
    if not steps or steps[0] <= 0 or steps[-1] != 100 or list(steps) != sorted(set(steps)):
        raise ValueError(f"steps rise from above 0 to 100 percent, got {list(steps)}")
    return steps


def read_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """The policy of a file.

    Raises:
        UnusablePolicy: with the key, what was expected and what came.
    """
    try:
        return Policy.model_validate(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UnusablePolicy(f"{path}: {error}") from None
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        raise UnusablePolicy(f"{path}: {key}: {problem['msg']}, got {problem['input']!r}") from None
