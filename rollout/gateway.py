"""Standard mode behind a Gateway: two whole InferenceServices, weights in HTTPRoute and GRPCRoute."""

from __future__ import annotations

import copy
from typing import Any, Final

from rollout.cluster import Cluster, ClusterFailed, Object, Patch
from rollout.prometheus import Version
from rollout.state import Release, State, Wanted
from rollout.target import Refused, Sight, is_ready, release_of, release_patch

ROUTES: Final = ("HTTPRoute", "GRPCRoute")
STOP: Final = "serving.kserve.io/stop"


class Gateway:
    """A stable InferenceService, its canary, and the routes of the stable one's name."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._canary = f"{name}-canary"

    def stable(self) -> Release:
        try:
            self._cluster.get("InferenceService", self._canary)
            routes = [self._cluster.get(kind, self._name) for kind in ROUTES]
        except ClusterFailed as failure:
            raise Refused(f"{failure}: component canary-gateway brings it") from None
        if any(split(route, self._canary) != (0, 0) for route in routes):
            raise Refused(f"the routes of {self._name} do not give all traffic to the stable version")
        return release_of(self._cluster.get("InferenceService", self._name))

    def apply(self, state: State) -> None:
        wanted = state.wanted
        # Before a version gets traffic it must be there; before it goes, its traffic must be elsewhere.
        if wanted.canary_runs:
            self._canary_to(state.canary, runs=True)
            self._route(wanted)
        else:
            self._route(wanted)
            self._canary_to(state.canary, runs=False)
        self._cluster.edit(
            "InferenceService", self._name, lambda service: release_patch(service, wanted.stable)
        )

    def _canary_to(self, release: Release, *, runs: bool) -> None:
        def change(service: Object) -> Patch:
            patch = release_patch(service, release) if runs else {}
            stop = "false" if runs else "true"
            if service["metadata"].get("annotations", {}).get(STOP, "false") != stop:
                patch["metadata"] = {"annotations": {STOP: stop}}
            return patch

        self._cluster.edit("InferenceService", self._canary, change)

    def _route(self, wanted: Wanted) -> None:
        failures = []
        for kind in ROUTES:
            try:
                self._cluster.edit(kind, self._name, lambda route: route_patch(route, self._canary, wanted))
            except ClusterFailed as failure:
                # The other protocol's traffic must come back even if this one's cannot just now.
                failures.append(failure)
        if failures:
            raise failures[0]

    def look(self, state: State) -> Sight:
        wanted = state.wanted
        asked = (wanted.canary_percent, wanted.mirror_percent)
        routes = [self._cluster.get(kind, self._name) for kind in ROUTES]
        return Sight(
            is_ready(self._cluster.get("InferenceService", self._canary)),
            is_ready(self._cluster.get("InferenceService", self._name)),
            all(split(route, self._canary) == asked for route in routes),
        )

    def versions(self, state: State) -> tuple[Version, Version]:  # noqa: ARG002 - the same in every phase
        return version_of(self._name), version_of(self._canary)


def version_of(isvc: str) -> Version:
    """The series of one whole InferenceService, told apart by its name."""
    mine = f'isvc="{isvc}"'
    of_transformer = f'{mine},component="transformer"'
    return Version(f'{of_transformer},model="dns-risk"', of_transformer, mine, mine)


def split(route: Object, canary: str) -> tuple[int, int] | None:
    """Percent that the canary answers and percent that it is mirrored; None where rules differ."""
    rules = route["spec"]["rules"]
    answered = {_weight(rule, canary) for rule in rules}
    mirrored = {_mirrored(rule) for rule in rules if _scoring(rule, canary)}
    return (answered.pop(), mirrored.pop()) if len(answered) == len(mirrored) == 1 else None


def _scoring(rule: Object, canary: str) -> Any:
    return next((ref for ref in rule["backendRefs"] if ref["name"] == f"{canary}-transformer"), None)


def _weight(rule: Object, canary: str) -> int:
    refs = rule["backendRefs"]
    total = sum(ref.get("weight", 1) for ref in refs)
    share = sum(ref.get("weight", 1) for ref in refs if ref["name"].startswith(f"{canary}-"))
    return round(100 * share / total) if total else -1


def _mirrored(rule: Object) -> int:
    return sum(entry["requestMirror"].get("percent", 100) for entry in _mirrors(rule))


def _mirrors(rule: Object) -> list[Any]:
    return [entry for entry in rule.get("filters", []) if entry.get("type") == "RequestMirror"]


def route_patch(route: Object, canary: str, wanted: Wanted) -> Patch:
    """The patch that splits every rule of a route as wanted; {} where it does.

    A list is replaced as a whole by a merge patch, so it holds all rules as they stand.
    """
    rules = copy.deepcopy(route["spec"]["rules"])
    for rule in rules:
        for ref in rule["backendRefs"]:
            mine = ref["name"].startswith(f"{canary}-")
            ref["weight"] = wanted.canary_percent if mine else 100 - wanted.canary_percent
        _mirror(rule, canary, wanted.mirror_percent)
    return {} if rules == route["spec"]["rules"] else {"spec": {"rules": rules}}


def _mirror(rule: Object, canary: str, percent: int) -> None:
    kept = [entry for entry in rule.get("filters", []) if entry.get("type") != "RequestMirror"]
    # An explanation costs a thousand scores: the shadow is of scoring only.
    target = _scoring(rule, canary)
    if percent and target:
        backend = {"name": target["name"], "port": target["port"]}
        kept.append({"type": "RequestMirror", "requestMirror": {"backendRef": backend, "percent": percent}})
    rule.pop("filters", None)
    if kept:
        rule["filters"] = kept
