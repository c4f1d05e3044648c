"""Every number of the training procedure, as it is written into the model's configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from training.data import UnusableData


@dataclass(frozen=True, slots=True)
class Recipe:
    """Chosen on validation rows; see docs/training.md for what else was tried."""

    seed: int = 0

    weak_benign_weight: float = 0.2
    """Benign names seen in few lists contain malice; they count less."""
    medium_weight: float = 0.7
    """Hosts of a single reported URL may be abused rather than bad."""
    synthetic_names: int = 40_000
    local_names: int = 6000
    service_names: int = 12_000
    network_names: int = 1000
    look_alike_names: int = 4000
    international_names: int = 4000
    """Without good ones, every internationalised name looks bad: the data has few."""
    www_share: float = 0.05
    """Rows repeated with a leading www., which the training files have stripped."""

    lexical_epochs: float = 8.0
    lexical_batch: int = 1024
    lexical_rate: float = 2e-3
    lexical_average: float = 0.999
    ngram_keep: float = 0.4
    """Share of n-grams a sample keeps, so that no single one decides."""
    lexical_dropout: float = 0.1
    weight_decay: float = 0.01

    evidence_steps: int = 1500
    evidence_batch: int = 384
    evidence_rate: float = 5e-3
    evidence_average: float = 0.99
    evidence_decay: float = 0.1
    evidence_dropout: float = 0.1
    edge_drop: float = 1.0
    edge_drop_rows: float = 0.05
    decoys: int = 40_000
    decoy_hosts: int = 12_000
    decoy_weight: float = 0.1
    """Of the squared shift on neighbourhoods that say nothing."""
    graft_weight: float = 0.05
    """Of the neighbourhood's label under names that were put there."""

    def as_dict(self) -> dict[str, float | int | str]:
        """For the configuration of a model version."""
        return asdict(self)


def read_recipe(path: Path | None, overrides: Mapping[str, object]) -> Recipe:
    """The recipe with the numbers of a TOML file, and then those of the caller, in place of its own.

    Raises:
        UnusableData: no such file, no such number, or one of another type.
    """
    try:
        values = tomllib.loads(path.read_text()) if path else {}
    except (OSError, tomllib.TOMLDecodeError) as problem:
        raise UnusableData(f"{path}: {problem}: expected a TOML file of the recipe's numbers") from None
    recipe_with(values, str(path))
    return recipe_with({**values, **overrides}, "command line")


def recipe_with(values: Mapping[str, Any], source: str) -> Recipe:
    """The recipe with some numbers in place of its own; `source` is where a refusal says that they come from.

    Raises:
        UnusableData: no such number, or one of another type.
    """
    kinds: dict[str, type[int | float]] = {
        field.name: int if isinstance(field.default, int) else float for field in fields(Recipe)
    }
    for name, value in values.items():
        if name not in kinds:
            raise UnusableData(f"{source}: {name!r} is no number of the recipe; there are {', '.join(kinds)}")
        if type(value) is not kinds[name] and not (kinds[name] is float and type(value) is int):
            raise UnusableData(f"{source}: {name}: expected {kinds[name].__name__}, got {value!r}")
    typed: dict[str, Any] = {name: kinds[name](value) for name, value in values.items()}
    return replace(Recipe(), **typed)


def number_of(text: str) -> tuple[str, int | float]:
    """A number of the recipe as a command line gives it.

    >>> number_of("lexical_rate=2e-3"), number_of("seed=3")
    (('lexical_rate', 0.002), ('seed', 3))

    Raises:
        UnusableData: not of the form NAME=NUMBER.
    """
    name, _, value = text.partition("=")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    raise UnusableData(f"--set {text}: expected NAME=NUMBER")
