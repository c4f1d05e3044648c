"""The pods that an overlay makes: KServe's of each component, and those of plain workloads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from inference_services.manifests.render import Manifest

COMPONENTS: Final = ("predictor", "transformer", "explainer")
MODE: Final = "serving.kserve.io/deploymentMode"
ISVC_LABEL: Final = "serving.kserve.io/inferenceservice"
SERVING_CONTAINER: Final = "kserve-container"

_REFERENCE: Final = re.compile(r"\$\((\w+)\)")


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of one component of an InferenceService, or of one workload.

    Fields:
        owner      what a person calls them
        isvc       name of the InferenceService, "" for a workload
        component  predictor, transformer, explainer, or the workload's kind
        mode       Standard or Knative; "" for a workload
        labels     that selectors see
        spec       the pod's spec, the runtime's containers merged into a predictor's
        container  the one that serves; a workload's first
    """

    owner: str
    isvc: str
    component: str
    mode: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    container: Mapping[str, Any]

    def env(self) -> dict[str, str]:
        """Variables with literal values, and POD_NAMESPACE by its own name."""
        found = {
            entry["name"]: str(entry["value"]) for entry in self.container.get("env", []) if "value" in entry
        }
        return {"POD_NAMESPACE": "NAMESPACE"} | found

    def flags(self) -> dict[str, str]:
        """Arguments of the form --name=value, with $(VARIABLE) put in as Kubernetes does."""
        env = self.env()
        flags = {}
        for argument in self.container.get("args", []):
            name, _, value = str(argument).removeprefix("--").partition("=")
            flags[name] = _REFERENCE.sub(lambda match: env.get(match[1], match[0]), value)
        return flags

    def ports(self) -> list[int]:
        """The declared container ports."""
        return [port["containerPort"] for port in self.container.get("ports", [])]


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    """The objects of these kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def name_of(manifest: Manifest) -> str:
    """Kind and name."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def mode_of(service: Manifest) -> str:
    """How KServe deploys an InferenceService; its own default is Knative."""
    return str(service["metadata"].get("annotations", {}).get(MODE, "Knative"))


def all_pods(manifests: Sequence[Manifest]) -> list[Pods]:
    """KServe's pods and the workloads'."""
    return [*serving_pods(manifests), *_workloads(manifests)]


def serving_pods(manifests: Sequence[Manifest]) -> list[Pods]:
    """The pods that KServe makes, a component each; a component without a container is left to the rules."""
    runtimes = {
        runtime["metadata"]["name"]: runtime["spec"] for runtime in of_kind(manifests, "ServingRuntime")
    }
    found = []
    for service in of_kind(manifests, "InferenceService"):
        for component in COMPONENTS:
            spec = _pod_spec(service["spec"].get(component), runtimes)
            if spec is not None and spec["containers"]:
                found.append(_pods(service, component, spec))
    return found


def _pods(service: Manifest, component: str, spec: Mapping[str, Any]) -> Pods:
    name = service["metadata"]["name"]
    containers = {container["name"]: container for container in spec["containers"]}
    return Pods(
        f"InferenceService {name}, {component}",
        name,
        component,
        mode_of(service),
        {ISVC_LABEL: name, "component": component, **service["metadata"].get("labels", {})},
        spec,
        containers.get(SERVING_CONTAINER, spec["containers"][0]),
    )


def _pod_spec(component: Any, runtimes: Mapping[str, Any]) -> dict[str, Any] | None:
    if component is None or "model" not in component:
        return None if component is None else {"containers": [], **component}
    model = component["model"]
    runtime = runtimes.get(model.get("runtime"), {"containers": []})
    containers = [_with_model(container, model) for container in runtime["containers"]]
    return {**runtime, **component, "containers": containers}


def _with_model(container: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    # KServe lays the model's container over the runtime's: lists are joined, the rest is replaced.
    if container["name"] != SERVING_CONTAINER:
        return dict(container)
    joined = {
        key: [*container.get(key, []), *model[key]] for key in ("args", "env", "volumeMounts") if key in model
    }
    replaced = {key: model[key] for key in ("image", "resources", "readinessProbe", "ports") if key in model}
    return {**container, **replaced, **joined}


def _workloads(manifests: Sequence[Manifest]) -> Iterator[Pods]:
    for workload in of_kind(manifests, *_TEMPLATES):
        for template in _TEMPLATES[workload["kind"]](workload["spec"]):
            labels = template["metadata"].get("labels", {})
            pod = template["spec"]
            yield Pods(name_of(workload), "", workload["kind"], "", labels, pod, pod["containers"][0])


# Where each kind keeps the templates of its pods.
_TEMPLATES: Final[Mapping[str, Callable[[Any], list[Any]]]] = {
    "Deployment": lambda spec: [spec["template"]],
    "StatefulSet": lambda spec: [spec["template"]],
    "Job": lambda spec: [spec["template"]],
    "CronJob": lambda spec: [spec["jobTemplate"]["spec"]["template"]],
    "PyTorchJob": lambda spec: [replica["template"] for replica in spec["pytorchReplicaSpecs"].values()],
    "Experiment": lambda spec: [spec["trialTemplate"]["trialSpec"]["spec"]["template"]],
}
