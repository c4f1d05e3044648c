"""What a mode of deployment must be able to do for a rollout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from rollout.cluster import Object, Patch
from rollout.prometheus import Version
from rollout.state import Images, Release, State

MODE_ANNOTATION = "serving.kserve.io/deploymentMode"


@dataclass(frozen=True, slots=True)
class Sight:
    """What the cluster says of a rollout."""

    canary_ready: bool
    stable_ready: bool
    in_place: bool


class Refused(Exception):
    """A rollout that cannot be begun here; says why."""


class Target(Protocol):
    """A pair of versions in one mode. Everything may be called again after a crash, with the same end."""

    def stable(self) -> Release:
        """What the stable version is made of.

        Raises:
            Refused: this is no deployment that a rollout can work on.
        """

    def apply(self, state: State) -> None:
        """Make the cluster what the state's phase wants."""

    def look(self, state: State) -> Sight:
        """What is there now."""

    def versions(self, state: State) -> tuple[Version, Version]:
        """How the series of stable and canary are selected."""


def is_ready(service: Object) -> bool:
    """Whether KServe calls an InferenceService ready, in the form that it has now."""
    status = service.get("status", {})
    conditions = {entry["type"]: entry["status"] for entry in status.get("conditions", [])}
    seen = status.get("observedGeneration", 0)
    return conditions.get("Ready") == "True" and seen >= service["metadata"].get("generation", 0)


def release_of(service: Object) -> Release:
    """The model and the images of an InferenceService."""
    spec = service["spec"]
    images = {
        component: spec[component]["containers"][0].get("image")
        for component in ("transformer", "explainer")
        if component in spec
    }
    model = spec["predictor"].get("model", {})
    return Release(
        model_uri=str(model.get("storageUri", "")), images=Images(predictor=model.get("image"), **images)
    )


def release_patch(service: Object, release: Release) -> Patch:
    """The patch that makes an InferenceService of this release; {} where it is."""
    spec = service["spec"]
    patch: Patch = {}
    model = {"storageUri": release.model_uri, "image": release.images.predictor}
    changed = {key: value for key, value in model.items() if spec["predictor"]["model"].get(key) != value}
    if changed:
        patch["predictor"] = {"model": changed}
    for component in ("transformer", "explainer"):
        if component in spec:
            containers = _with_release(spec[component]["containers"], component, release)
            if containers != spec[component]["containers"]:
                patch[component] = {"containers": containers}
    return {"spec": patch} if patch else {}


def _with_release(containers: list[Any], component: str, release: Release) -> list[Any]:
    first = dict(containers[0])
    first["image"] = getattr(release.images, component) or first.get("image")
    first["env"] = [
        {**entry, "value": release.model_uri} if entry["name"] == "STORAGE_URI" else entry
        for entry in first.get("env", [])
    ]
    return [first, *containers[1:]]
