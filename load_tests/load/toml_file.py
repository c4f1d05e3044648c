"""Settings files read strictly: an unknown key, or a value out of range, is refused with one line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class UnusableFile(Exception):
    """A profile or SLO file cannot be read, or a key is unknown or out of range."""


class Section(BaseModel):
    """A table of a settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


AnySection = TypeVar("AnySection", bound=Section)


def read_toml(path: Path, kind: type[AnySection]) -> AnySection:
    """The settings of a file.

    Raises:
        UnusableFile: with the key, what was expected and what came.
    """
    try:
        return kind.model_validate(tomllib.loads(path.read_text()))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableFile(f"{path}: {error}") from None
    except ValidationError as error:
        raise UnusableFile(f"{path}: {first_problem(error)}") from None


def first_problem(error: ValidationError) -> str:
    """What is wrong, in one line."""
    problem = error.errors()[0]
    key = ".".join(map(str, problem["loc"]))
    if not key:
        return problem["msg"]
    if problem["type"] == "extra_forbidden":
        return f"{key}: no such key"
    return f"{key}: {problem['msg']}, got {str(problem['input'])[:80]!r}"
