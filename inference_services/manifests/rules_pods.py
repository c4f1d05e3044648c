"""What every pod needs: probes, a drain that ends in time, limits, and few rights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from inference_services.manifests.pods import Pods, all_pods, name_of, of_kind, serving_pods
from inference_services.manifests.render import Manifest

Wrong = Iterator[tuple[str, str]]

# A service needs a moment beside delay and grace: answers leave, models and clients close.
_FLUSH_S: Final = 3.0
_SECRET: Final = re.compile(r"SECRET|PASSWORD|TOKEN|ACCESS_KEY|CREDENTIAL", re.IGNORECASE)


def probes_present(manifests: Sequence[Manifest]) -> Wrong:
    """Startup, liveness and readiness are probed, on ports that the service listens on."""
    for pods in serving_pods(manifests):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = pods.container.get(kind)
            if probe is None:
                yield pods.owner, f"has no {kind}"
            elif (port := _port(probe)) not in pods.ports():
                yield pods.owner, f"{kind} asks port {port}, the container has {pods.ports()}"


def _port(probe: dict[str, Any]) -> object:
    return (probe.get("httpGet") or probe.get("grpc") or {}).get("port")


def readiness_is_true(manifests: Sequence[Manifest]) -> Wrong:
    """Readiness asks whether the model can answer, not whether a port is open."""
    for pods in serving_pods(manifests):
        probe = pods.container.get("readinessProbe", {})
        path = probe.get("httpGet", {}).get("path", "")
        if not path.endswith("/ready") and "grpc" not in probe:
            yield pods.owner, f"readiness asks {path or 'a port'}, not /v2/health/ready or gRPC health"


def drains_in_time(manifests: Sequence[Manifest]) -> Wrong:
    """preStop, drain delay, grace and a moment fit into terminationGracePeriodSeconds."""
    for pods in serving_pods(manifests):
        if pods.mode == "Knative":
            continue
        needed, given = _drain_s(pods), pods.spec.get("terminationGracePeriodSeconds", 30)
        if needed > given:
            yield pods.owner, f"needs {needed:g} s to drain, terminationGracePeriodSeconds is {given}"


def endpoints_forget_first(manifests: Sequence[Manifest]) -> Wrong:
    """A pause before SIGTERM, or a drain delay: proxies need a moment to notice."""
    for pods in serving_pods(manifests):
        if pods.mode != "Knative" and _pause_s(pods) + float(pods.env().get("DNS_RISK_DRAIN_DELAY_S", 0)) < 5:
            yield pods.owner, "needs preStop or DNS_RISK_DRAIN_DELAY_S of 5 s or more"


def _pause_s(pods: Pods) -> float:
    hook = pods.container.get("lifecycle", {}).get("preStop", {})
    return float(hook.get("sleep", {}).get("seconds", 0))


def _drain_s(pods: Pods) -> float:
    env = pods.env()
    delay, grace = env.get("DNS_RISK_DRAIN_DELAY_S", "0"), env.get("DNS_RISK_GRACE_S", "20")
    return _pause_s(pods) + float(delay) + float(grace) + _FLUSH_S


def image_pinned(manifests: Sequence[Manifest]) -> Wrong:
    """Images are pinned by digest or version."""
    for pods in all_pods(manifests):
        for container in _containers(pods):
            image = str(container.get("image", ""))
            tag = image.rpartition("/")[2].partition(":")[2]
            if "@sha256:" not in image and tag in {"", "latest"}:
                yield pods.owner, f"image {image} is pinned by neither digest nor version"


def _containers(pods: Pods) -> list[dict[str, Any]]:
    return [*pods.spec.get("initContainers", []), *pods.spec["containers"]]


def restricted(manifests: Sequence[Manifest]) -> Wrong:
    """Pod security `restricted`, and a root filesystem that is read only."""
    for pods in all_pods(manifests):
        if any(pods.spec.get(field) for field in ("hostNetwork", "hostPID", "hostIPC")):
            yield pods.owner, "uses a namespace of its host"
        for container in _containers(pods):
            for missing in _missing_rights(container.get("securityContext", {})):
                yield pods.owner, f"container {container['name']} needs {missing}"


def _missing_rights(context: dict[str, Any]) -> Iterator[str]:
    wanted = {"runAsNonRoot": True, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False}
    for field, value in wanted.items():
        if context.get(field) is not value:
            yield f"{field}: {str(value).lower()}"
    if not context.get("runAsUser"):
        yield "runAsUser other than 0"
    if "ALL" not in context.get("capabilities", {}).get("drop", []):
        yield "capabilities: {drop: [ALL]}"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "seccompProfile: {type: RuntimeDefault}"


def resources_bounded(manifests: Sequence[Manifest]) -> Wrong:
    """CPU and memory are requested, memory is limited, and what is written to memory or disk has a size."""
    for pods in all_pods(manifests):
        for container in _containers(pods):
            resources = container.get("resources", {})
            requests = resources.get("requests", {})
            if not {"cpu", "memory"} <= set(requests) or "memory" not in resources.get("limits", {}):
                yield (
                    pods.owner,
                    f"container {container['name']} needs requests of cpu and memory, a limit of memory",
                )
        for volume in pods.spec.get("volumes", []):
            if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
                yield pods.owner, f"emptyDir {volume['name']} has no sizeLimit"


def volumes_exist(manifests: Sequence[Manifest]) -> Wrong:
    """What is mounted is a volume of the pod."""
    for pods in all_pods(manifests):
        volumes = {volume["name"] for volume in pods.spec.get("volumes", [])}
        for container in _containers(pods):
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    yield pods.owner, f"mounts {mount['name']}, which is no volume of the pod"


def no_token(manifests: Sequence[Manifest]) -> Wrong:
    """Serving pods hold no token for the Kubernetes API."""
    for pods in serving_pods(manifests):
        if pods.spec.get("automountServiceAccountToken") is not False:
            yield pods.owner, "needs automountServiceAccountToken: false"


def no_secret_literal(manifests: Sequence[Manifest]) -> Wrong:
    """Secrets come from a Secret, not from the manifest."""
    for pods in all_pods(manifests):
        for entry in pods.container.get("env", []):
            if "value" in entry and _SECRET.search(entry["name"]):
                yield pods.owner, f"variable {entry['name']} holds its value in the manifest"


def account_exists(manifests: Sequence[Manifest]) -> Wrong:
    """The service account of a pod is in the set."""
    accounts = {account["metadata"]["name"] for account in of_kind(manifests, "ServiceAccount")}
    for pods in all_pods(manifests):
        if pods.spec.get("serviceAccountName") not in accounts:
            yield pods.owner, f"there is no ServiceAccount {pods.spec.get('serviceAccountName')}"


def least_privilege(manifests: Sequence[Manifest]) -> Wrong:
    """Roles name what they admit, and none is for the whole cluster."""
    for role in of_kind(manifests, "Role", "ClusterRole", "ClusterRoleBinding"):
        if role["kind"] != "Role":
            yield name_of(role), "rights in the whole cluster are not needed"
        for rule in role.get("rules") or []:
            if "*" in [*rule.get("verbs", []), *rule.get("resources", []), *rule.get("apiGroups", [])]:
                yield name_of(role), "a wildcard admits what nobody asked for"


RULES = (
    probes_present,
    readiness_is_true,
    drains_in_time,
    endpoints_forget_first,
    image_pinned,
    restricted,
    resources_bounded,
    volumes_exist,
    no_token,
    no_secret_literal,
    account_exists,
    least_privilege,
)
