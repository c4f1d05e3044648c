"""What a caller may choose about an explanation, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.errors import InvalidTensors
from serving.tensor_contract import echo

Method = Literal["shap", "anchor"]
METHODS: tuple[Method, ...] = get_args(Method)


class ExplainOptions(BaseModel):
    """The `parameters` of an explain request; each has a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    method: Method = "shap"
    """`shap` shares the score among the players, `anchor` finds a rule that keeps the action."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Of all that is drawn at random; the same seed gives the same answer."""

    samples: Annotated[int, Field(ge=64, le=4096)] = 768
    """`shap`: coalitions to score where there are too many players to score them all."""

    precision: Annotated[float, Field(ge=0.5, le=0.99)] = 0.95
    """`anchor`: share of variations in which the rule must keep the action."""

    graph: bool = False
    """Whether to answer with the ego-graph as well, for drawing it."""


# Which method a parameter belongs to, where only one reads it.
_ONLY_FOR = {"samples": "shap", "precision": "anchor"}


def read_options(parameters: object) -> ExplainOptions:
    """The options of a request.

    >>> read_options({"method": "anchor"}).precision
    0.95

    Raises:
        InvalidTensors: no object, an unknown parameter, or a value that is not allowed; says which.
    """
    if not isinstance(parameters, Mapping):
        raise InvalidTensors(f"parameters: expected an object, got {type(parameters).__name__}")
    try:
        options = ExplainOptions.model_validate(dict(parameters))
    except ValidationError as error:
        raise InvalidTensors(_complaint(error.errors()[0])) from None
    for name, method in _ONLY_FOR.items():
        if name in parameters and options.method != method:
            raise InvalidTensors(f"parameters.{name}: only method {method!r} has it, got {options.method!r}")
    return options


def _complaint(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"parameters: expected {', '.join(ExplainOptions.model_fields)}, got {echo(name)}"
    reason = problem["msg"][0].lower() + problem["msg"][1:]
    return f"parameters.{name}: {reason}, got {echo(problem['input'])}"
