"""Versions as the registry knows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from training.registry.store import MODEL, RegistryFailed

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_SHOWN: Final = 50
VERSION_TAG: Final = "model_version"
WEIGHTS_TAG: Final = "weights_sha256"
PARENT_TAG: Final = "parent"
STABLE: Final = "stable"
CANARY: Final = "canary"
_ABSENT: Final = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})


@dataclass(frozen=True, slots=True)
class Tracked:
    """One registered version.

    Fields:
        number   the registry's own
        aliases  "stable", "canary"
        source   URI of the version's directory
        tags     lineage, and what its promotions were based on
        metrics  by name, as of the last tracking
    """

    number: int
    aliases: list[str]
    created: str
    run_id: str
    source: str
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]

    @property
    def model_version(self) -> str:
        return self.tags.get(VERSION_TAG, "")

    @property
    def weights_sha256(self) -> str:
        return self.tags.get(WEIGHTS_TAG, "")

    def __str__(self) -> str:
        return f"{self.number} (model version {self.model_version}, weights {self.weights_sha256[:12]})"


def latest(client: MlflowClient, most: int = MOST_SHOWN) -> list[Tracked]:
    """The last versions, the newest first; none where nothing was tracked."""
    named = aliases(client)
    found = client.search_model_versions(
        f"name = '{MODEL}'", max_results=most, order_by=["version_number DESC"]
    )
    return [_tracked(client, entry, named) for entry in found]


def find(client: MlflowClient, which: str) -> Tracked:
    """A version by its number or by its alias.

    Raises:
        RegistryFailed: there is none of that name; says which there are.
    """
    named = aliases(client)
    number = int(which) if which.isascii() and which.isdigit() and len(which) < 10 else named.get(which)
    try:
        entry = client.get_model_version(MODEL, str(number)) if number is not None else None
    except _mlflow_exception() as problem:
        if problem.error_code not in _ABSENT:
            raise
        entry = None
    if entry is None:
        raise RegistryFailed(f"no version {which!r}: expected {_known(client, named)}")
    return _tracked(client, entry, named)


def of_weights(client: MlflowClient, model_version: str, weights_sha256: str) -> Tracked | None:
    """The version that holds these weights under this name; None where they were never tracked."""
    found = client.search_model_versions(
        f"name = '{MODEL}' and tags.{WEIGHTS_TAG} = '{weights_sha256}'", max_results=MOST_SHOWN
    )
    ours = [entry for entry in found if entry.tags.get(VERSION_TAG) == model_version]
    return _tracked(client, ours[0], aliases(client)) if ours else None


def _tracked(client: MlflowClient, entry: Any, named: Mapping[str, int]) -> Tracked:
    run = client.get_run(entry.run_id)
    number = int(entry.version)
    return Tracked(
        number=number,
        aliases=sorted(alias for alias, of in named.items() if of == number),
        created=dt.datetime.fromtimestamp(entry.creation_timestamp / 1000, dt.UTC).isoformat(
            timespec="seconds"
        ),
        run_id=entry.run_id,
        source=entry.source,
        tags=dict(entry.tags),
        parameters=dict(run.data.params),
        metrics=dict(run.data.metrics),
    )


def aliases(client: MlflowClient) -> dict[str, int]:
    """The number of the version that each alias stands for."""
    try:
        return {alias: int(of) for alias, of in client.get_registered_model(MODEL).aliases.items()}
    except _mlflow_exception() as problem:
        if problem.error_code not in _ABSENT:
            raise
        return {}


def _known(client: MlflowClient, named: Mapping[str, int]) -> str:
    found = client.search_model_versions(
        f"name = '{MODEL}'", max_results=10, order_by=["version_number DESC"]
    )
    numbers = [str(entry.version) for entry in found]
    known = ", ".join([*numbers, *sorted(named)])
    return f"one of {known}" if known else "a tracked version, and there is none yet"


def _mlflow_exception() -> Any:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  there is a client, so it is imported already

    return MlflowException
