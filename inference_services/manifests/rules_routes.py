"""What must point at something: routes at services, services, budgets, policies and monitors at pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from inference_services.manifests.pods import Pods, all_pods, name_of, of_kind, serving_pods
from inference_services.manifests.render import Manifest

Wrong = Iterator[tuple[str, str]]

_CLUSTER_SCOPED: Final = frozenset({"Namespace", "ClusterRole", "ClusterRoleBinding"})


def _rules(manifests: Sequence[Manifest]) -> Iterator[tuple[str, dict[str, Any]]]:
    for route in of_kind(manifests, "HTTPRoute", "GRPCRoute"):
        for rule in route["spec"].get("rules", []):
            yield f"{name_of(route)}, rule {rule.get('name', '?')}", rule


def weights_sum(manifests: Sequence[Manifest]) -> Wrong:
    """Weights of a rule's backends sum to 100, so that they read as percent."""
    for where, rule in _rules(manifests):
        weights = [backend.get("weight", 1) for backend in rule.get("backendRefs", [])]
        if sum(weights) != 100:
            yield where, f"weights {weights} sum to {sum(weights)}, not 100"


def split_is_one(manifests: Sequence[Manifest]) -> Wrong:
    """Every rule of every route splits alike: a caller's protocol must not choose the version."""
    splits = {where: _split(rule) for where, rule in _rules(manifests)}
    for where, split in splits.items():
        if split != next(iter(splits.values())):
            yield where, f"splits {split}, another rule {next(iter(splits.values()))}"


def _split(rule: Mapping[str, Any]) -> dict[str, int]:
    refs = rule.get("backendRefs", [])
    return {backend["name"].rpartition("-")[0]: backend.get("weight", 1) for backend in refs}


def backends_exist(manifests: Sequence[Manifest]) -> Wrong:
    """A backend is a Service that KServe makes of a component, or one of the set, on a port that it has."""
    ports = _service_ports(manifests)
    for where, rule in _rules(manifests):
        for backend in rule.get("backendRefs", []):
            if backend["name"] not in ports:
                yield where, f"there is no Service {backend['name']}"
            elif backend.get("port") not in ports[backend["name"]]:
                yield where, f"Service {backend['name']} has ports {sorted(ports[backend['name']])}"


def _service_ports(manifests: Sequence[Manifest]) -> dict[str, set[int]]:
    found = {f"{pods.isvc}-{pods.component}": _kserve_ports(pods) for pods in serving_pods(manifests)}
    for service in of_kind(manifests, "Service"):
        found[service["metadata"]["name"]] = {port["port"] for port in service["spec"]["ports"]}
    return found


def _kserve_ports(pods: Pods) -> set[int]:
    # The first becomes 80, the others keep their numbers.
    return {80, *pods.ports()[1:]}


def peers_exist(manifests: Sequence[Manifest]) -> Wrong:
    """The hosts that a service asks are Services of the same InferenceService, on a port that they have."""
    ports = _service_ports(manifests)
    for pods in serving_pods(manifests):
        for flag in ("predictor_host", "transformer_host"):
            address = pods.flags().get(flag)
            if address is not None:
                yield from (
                    (pods.owner, f"--{flag}={address}: {why}") for why in _why_not(pods, address, ports)
                )


def _why_not(pods: Pods, address: str, ports: Mapping[str, set[int]]) -> Iterator[str]:
    host, _, port = address.rpartition(":")
    name = host.partition(".")[0]
    others = {service for service in ports if not service.startswith(f"{pods.isvc}-")}
    if name not in ports:
        yield f"there is no Service {name}"
    elif name in others or (pods.isvc == "dns-risk" and name.startswith("dns-risk-canary-")):
        yield f"belongs to another InferenceService than {pods.isvc}"
    elif not port.isdigit() or int(port) not in ports[name]:
        yield f"Service {name} has ports {sorted(ports[name])}"


def selectors_match(manifests: Sequence[Manifest]) -> Wrong:
    """What Services, budgets, policies and monitors select are pods of the set."""
    every = all_pods(manifests)
    for manifest in of_kind(manifests, "Service", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"):
        for selector in _selectors(manifest):
            if selector and not any(_selects(selector, pods.labels) for pods in every):
                yield name_of(manifest), f"selects no pod: {selector}"


def _selectors(manifest: Manifest) -> Iterator[dict[str, Any]]:
    spec = manifest["spec"]
    if manifest["kind"] == "Service":
        yield {"matchLabels": spec.get("selector", {})}
        return
    yield spec.get("selector") or spec.get("podSelector") or {}
    for way, side in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(way) or []:
            # Selectors beside a namespace's select pods that are not ours.
            yield from (peer["podSelector"] for peer in rule.get(side, []) if set(peer) == {"podSelector"})


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    return all(_meets(expression, labels) for expression in selector.get("matchExpressions", []))


def _meets(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    if expression["operator"] == "In":
        return value in expression["values"]
    return (value is not None) == (expression["operator"] == "Exists")


def every_pod_has_a_policy(manifests: Sequence[Manifest]) -> Wrong:
    """Where anything is admitted by policy, each pod has one beside the one that admits nothing."""
    policies = of_kind(manifests, "NetworkPolicy")
    named = [
        policy["spec"]["podSelector"] for policy in policies if "Egress" in policy["spec"]["policyTypes"]
    ]
    for pods in all_pods(manifests):
        if pods.isvc and not any(s and _selects(s, pods.labels) for s in named):
            yield pods.owner, "no NetworkPolicy says what it may reach"


def one_namespace(manifests: Sequence[Manifest]) -> Wrong:
    """Everything of an overlay is in one namespace."""
    namespaces = {
        manifest["metadata"].get("namespace")
        for manifest in manifests
        if manifest["kind"] not in _CLUSTER_SCOPED
    }
    if len(namespaces) > 1:
        yield "the overlay", f"has objects in namespaces {sorted(map(str, namespaces))}"


RULES = (
    weights_sum,
    split_is_one,
    backends_exist,
    peers_exist,
    selectors_match,
    every_pod_has_a_policy,
    one_namespace,
)
