"""Knative mode: one InferenceService, canaryTrafficPercent on its predictor, revisions as versions.

KServe splits each component on its own. Only the predictor is split here: the transformer is one for both,
so what clients were told is told apart by the model version that said it.
"""

from __future__ import annotations

from typing import Any

from rollout.cluster import Cluster, Object, Patch
from rollout.prometheus import Version
from rollout.state import Phase, Release, State
from rollout.target import Refused, Sight, is_ready, release_of, release_patch


class Knative:
    """An InferenceService whose predictor has a latest and a previous revision."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name

    def stable(self) -> Release:
        service = self._service()
        percent = service["spec"]["predictor"].get("canaryTrafficPercent")
        if percent not in {None, 0}:
            raise Refused(f"{self._name} has canaryTrafficPercent {percent}: end that canary first")
        return release_of(service)

    def apply(self, state: State) -> None:
        self._cluster.edit("InferenceService", self._name, lambda service: knative_patch(service, state))

    def look(self, state: State) -> Sight:
        service = self._service()
        ready = is_ready(service)
        revisions = _revisions(service)
        # Ready before the new revision exists is readiness of the old one.
        fresh = bool(revisions.get("latestCreatedRevision")) and (
            revisions.get("latestReadyRevision") == revisions.get("latestCreatedRevision")
        )
        return Sight(ready and fresh, ready, not knative_patch(service, state))

    def versions(self, state: State) -> tuple[Version, Version]:
        revisions = _revisions(self._service())
        latest = revisions.get("latestCreatedRevision", "")
        before = revisions.get("previousRolledoutRevision", "")
        rolled_out = revisions.get("latestRolledoutRevision", "")
        stable = rolled_out if rolled_out != latest else before
        canary = _version(self._name, latest, f'model_version="{state.model_version}"')
        # From then on there is one version only.
        if state.phase is Phase.PROMOTING:
            return canary, canary
        return _version(self._name, stable, f'model_version!="{state.model_version}"'), canary

    def _service(self) -> Object:
        return self._cluster.get("InferenceService", self._name)


def _revisions(service: Object) -> dict[str, Any]:
    components = service.get("status", {}).get("components", {})
    return dict(components.get("predictor", {}))


def _version(isvc: str, revision: str, model: str) -> Version:
    pods = f'isvc="{isvc}",component="predictor",revision="{revision}"'
    return Version(pods, f'isvc="{isvc}",component="transformer",{model}', pods, f'isvc="{isvc}",{model}')


def knative_patch(service: Object, state: State) -> Patch:
    """The patch that makes the predictor of the canary's release, with the percentage that is wanted.

    Taken back, the new revision stays with none of the traffic: that is KServe's way of keeping the old one.
    """
    over = state.phase is Phase.DONE
    only_predictor = {"spec": {"predictor": service["spec"]["predictor"]}, "metadata": service["metadata"]}
    patch = release_patch(service if over else only_predictor, state.canary)
    percent = None if over else state.wanted.canary_percent
    if service["spec"]["predictor"].get("canaryTrafficPercent") != percent:
        patch.setdefault("spec", {}).setdefault("predictor", {})["canaryTrafficPercent"] = percent
    return patch
