"""What KServe's webhook and Knative refuse, or silently ignore."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from inference_services.manifests.pods import (
    COMPONENTS,
    Pods,
    all_pods,
    mode_of,
    name_of,
    of_kind,
    serving_pods,
)
from inference_services.manifests.render import Manifest

Wrong = Iterator[tuple[str, str]]

_NAME: Final = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
# With the longest suffix that KServe adds, a Service's name has at most 63 characters.
_LONGEST_NAME: Final = 63 - len("-transformer")
_FRAMEWORKS: Final = ("model", "sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface")
# Fields of pods and containers that Knative has no place for: its CRD lists the ones it has.
_NOT_KNATIVE_POD: Final = ("terminationGracePeriodSeconds", "deploymentStrategy", "topologySpreadConstraints")
_NOT_KNATIVE_CONTAINER: Final = ("lifecycle",)


def _components(manifests: Sequence[Manifest]) -> Iterator[tuple[Manifest, str, dict[str, Any]]]:
    for service in of_kind(manifests, "InferenceService"):
        for component in COMPONENTS:
            if component in service["spec"]:
                yield service, component, service["spec"][component]


def name_fits(manifests: Sequence[Manifest]) -> Wrong:
    """An InferenceService's name is a DNS label that leaves room for KServe's suffixes."""
    for service in of_kind(manifests, "InferenceService"):
        name = service["metadata"]["name"]
        if not _NAME.match(name) or len(name) > _LONGEST_NAME:
            yield name_of(service), f"a name is a DNS label of at most {_LONGEST_NAME} characters"


def one_implementation(manifests: Sequence[Manifest]) -> Wrong:
    """Each component has exactly one implementation: a model, or containers."""
    for service, component, spec in _components(manifests):
        given = [kind for kind in (*_FRAMEWORKS, "containers") if spec.get(kind)]
        if len(given) != 1:
            yield (
                f"{name_of(service)}, {component}",
                f"exactly one implementation is allowed, got {given or 'none'}",
            )


def replicas_in_order(manifests: Sequence[Manifest]) -> Wrong:
    """The least replicas are no more than the most."""
    for service, component, spec in _components(manifests):
        least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
        if least < 0 or (most and least > most):
            yield f"{name_of(service)}, {component}", f"minReplicas {least} is over maxReplicas {most}"


def no_python_path(manifests: Sequence[Manifest]) -> Wrong:
    """KServe rejects the variable PYTHONPATH."""
    for pods in all_pods(manifests):
        if any(entry["name"] == "PYTHONPATH" for entry in pods.container.get("env", [])):
            yield pods.owner, "the variable PYTHONPATH is not admitted"


def canary_percent_is_heeded(manifests: Sequence[Manifest]) -> Wrong:
    """A canary's percentage is between 0 and 100, and only where Knative reads it."""
    for service, component, spec in _components(manifests):
        percent = spec.get("canaryTrafficPercent")
        where = f"{name_of(service)}, {component}"
        if percent is not None and not 0 <= percent <= 100:
            yield where, f"canaryTrafficPercent is between 0 and 100, got {percent}"
        if percent is not None and mode_of(service) != "Knative":
            yield where, f"canaryTrafficPercent is ignored in mode {mode_of(service)}"


def no_canary_list(manifests: Sequence[Manifest]) -> Wrong:
    """spec.canary exists in Standard mode only, and splits no traffic even there."""
    for service in of_kind(manifests, "InferenceService"):
        if service["spec"].get("canary"):
            yield (
                name_of(service),
                "spec.canary makes Deployments but no traffic split; use two InferenceServices",
            )


def autoscaler_fits(manifests: Sequence[Manifest]) -> Wrong:
    """Metrics of KEDA need autoscaler class keda, and the class is one that the mode knows."""
    for service, component, spec in _components(manifests):
        annotations = service["metadata"].get("annotations", {})
        chosen = annotations.get("serving.kserve.io/autoscalerClass")
        if spec.get("autoScaling") and chosen != "keda":
            yield (
                f"{name_of(service)}, {component}",
                f"autoScaling is read by class keda only, the class is {chosen}",
            )
        if chosen is not None and mode_of(service) == "Knative":
            yield name_of(service), f"autoscaler class {chosen} belongs to Standard mode"


def keda_has_metrics(manifests: Sequence[Manifest]) -> Wrong:
    """With class keda each component has metrics, External ones with the target.value that KServe reads."""
    for service, component, spec in _components(manifests):
        annotations = service["metadata"].get("annotations", {})
        metrics = spec.get("autoScaling", {}).get("metrics", [])
        where = f"{name_of(service)}, {component}"
        if annotations.get("serving.kserve.io/autoscalerClass") == "keda" and not metrics:
            yield where, "class keda without metrics makes a ScaledObject without triggers"
        for metric in metrics:
            if metric["type"] == "External" and "value" not in metric["external"]["target"]:
                yield where, "an External metric needs target.value"


def one_port_on_knative(manifests: Sequence[Manifest]) -> Wrong:
    """Knative takes one container port: REST or gRPC."""
    for pods in _knative(manifests):
        if len(pods.ports()) != 1:
            yield pods.owner, f"Knative takes one container port, got {pods.ports()}"


def knative_has_the_field(manifests: Sequence[Manifest]) -> Wrong:
    """Knative's pods have no lifecycle hooks, no grace period and no deployment strategy."""
    for pods in _knative(manifests):
        for field in _NOT_KNATIVE_POD:
            if field in pods.spec:
                yield pods.owner, f"Knative has no {field}"
        for field in _NOT_KNATIVE_CONTAINER:
            if field in pods.container:
                yield pods.owner, f"Knative has no {field} of a container"
        if any("fieldRef" in entry.get("valueFrom", {}) for entry in pods.container.get("env", [])):
            yield pods.owner, "Knative's flag for fieldRef is off by default"


def _knative(manifests: Sequence[Manifest]) -> list[Pods]:
    return [pods for pods in serving_pods(manifests) if pods.mode == "Knative"]


def one_worker(manifests: Sequence[Manifest]) -> Wrong:
    """--workers=1: more would each have a queue and a model of their own, and transformers answer 501."""
    for pods in serving_pods(manifests):
        if pods.flags().get("workers") != "1":
            yield pods.owner, "needs the argument --workers=1"


def runtime_exists(manifests: Sequence[Manifest]) -> Wrong:
    """A model's runtime is in the set, and knows its format and protocol."""
    runtimes = {
        runtime["metadata"]["name"]: runtime["spec"] for runtime in of_kind(manifests, "ServingRuntime")
    }
    for service, _component, spec in _components(manifests):
        model = spec.get("model")
        if model is None:
            continue
        runtime = runtimes.get(model.get("runtime"))
        if runtime is None:
            yield name_of(service), f"there is no ServingRuntime {model.get('runtime')}"
            continue
        formats = [entry["name"] for entry in runtime.get("supportedModelFormats", [])]
        if model["modelFormat"]["name"] not in formats:
            yield name_of(service), f"runtime {model['runtime']} knows the formats {formats}"
        if model.get("protocolVersion") not in runtime.get("protocolVersions", []):
            yield name_of(service), f"runtime {model['runtime']} speaks {runtime.get('protocolVersions')}"


RULES = (
    name_fits,
    one_implementation,
    replicas_in_order,
    no_python_path,
    canary_percent_is_heeded,
    no_canary_list,
    autoscaler_fits,
    keda_has_metrics,
    one_port_on_knative,
    knative_has_the_field,
    one_worker,
    runtime_exists,
)
