"""An alias for a version: by the gate's yes, or by force, which is written down."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from rollout.gate_file import GateFile, refusal
from training.registry.artefacts import check_weights
from training.registry.store import MODEL
from training.registry.versions import Tracked

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST_REASON = 500


class NotPromoted(Exception):
    """The gate does not let this version pass; the message says why."""


def promote(client: MlflowClient, version: Tracked, alias: str, basis: GateFile | str) -> dict[str, str]:
    """Give an alias to a version, and take it from the one that had it; the tags that say why.

    Args:
        client: of the store.
        version: whose alias it is to be.
        alias: "stable" or "canary".
        basis: the gate's verdict, or the reason to do without.

    Raises:
        NotPromoted: the gate says no, or has judged other weights.
        RegistryFailed: the weights that were kept are not those that were tracked.
    """
    refused = refusal_of(basis, version)
    if refused:
        raise NotPromoted(f"version {version} does not become {alias}: {refused}")
    check_weights(client, version)
    tags = tags_of(basis, alias, dt.datetime.now(dt.UTC))
    # Why comes first: an alias without its reason must not be left by a process that was killed in between.
    for name, value in tags.items():
        client.set_model_version_tag(MODEL, str(version.number), name, value)
    client.set_registered_model_alias(MODEL, alias, str(version.number))
    return tags


def refusal_of(basis: GateFile | str, version: Tracked) -> str:
    """Why this is no ground to promote a version; "" where it is."""
    if isinstance(basis, GateFile):
        return refusal(basis, version.model_version, version.weights_sha256)
    if not basis.strip() or len(basis) > LONGEST_REASON:
        return f"--force needs a reason of 1 to {LONGEST_REASON} characters, got {len(basis.strip())}"
    return ""


def tags_of(basis: GateFile | str, alias: str, now: dt.datetime) -> dict[str, str]:
    """What is written down: when, and by which verdict or for which reason.

    >>> tags_of("the gate is away", "stable", dt.datetime(2025, 1, 2, tzinfo=dt.UTC))
    {'stable.since': '2025-01-02T00:00:00+00:00', 'stable.by': 'force: the gate is away'}
    """
    if isinstance(basis, GateFile):
        old = basis.baseline
        by = f"gate: passed against model version {old.model_version}, weights {old.weights_sha256}"
        by += f", policy {basis.policy_sha256}"
    else:
        by = f"force: {' '.join(basis.split())}"
    return {f"{alias}.since": now.isoformat(timespec="seconds"), f"{alias}.by": by}
