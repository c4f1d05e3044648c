"""Each rule finds the manifest that breaks it, and nothing in those that we ship."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from inference_services.manifests.lint import RULES, lint
from inference_services.manifests.render import Manifest
from tests.inference_services.manifests.objects import (
    component,
    container,
    find,
    runtime,
    set_argument,
    set_env,
)
from tests.inference_services.manifests.test_training_jobs import TRAINING_RULES

Change = Callable[[list[Manifest]], Any]

GATEWAY: Final[dict[str, list[Change]]] = {
    "name-fits": [lambda m: find(m, "InferenceService")["metadata"].update(name="Dns_Risk")],
    "one-implementation": [
        lambda m: component(m, "predictor").update(containers=[dict(runtime(m))]),
        lambda m: component(m, "transformer").pop("containers"),
    ],
    "replicas-in-order": [lambda m: component(m, "predictor").update(minReplicas=20)],
    "no-python-path": [lambda m: set_env(container(m), "PYTHONPATH", "/app")],
    "canary-percent-is-heeded": [
        lambda m: component(m, "predictor").update(canaryTrafficPercent=10),
        lambda m: component(m, "predictor").update(canaryTrafficPercent=110),
    ],
    "no-canary-list": [lambda m: find(m, "InferenceService")["spec"].update(canary=[{"trafficPercent": 10}])],
    "autoscaler-fits": [
        lambda m: find(m, "InferenceService")["metadata"]["annotations"].update(
            {"serving.kserve.io/autoscalerClass": "hpa"}
        ),
    ],
    "keda-has-metrics": [
        lambda m: component(m, "explainer").pop("autoScaling"),
        lambda m: component(m, "predictor")["autoScaling"]["metrics"][0]["external"].update(
            target={"type": "AverageValue", "averageValue": "9"}
        ),
    ],
    "one-worker": [
        lambda m: set_argument(container(m), "--workers", "--workers=4"),
        lambda m: set_argument(runtime(m), "--workers", "--enable_docs_url=false"),
    ],
    "runtime-exists": [
        lambda m: component(m, "predictor")["model"].update(runtime="dns-gn"),
        lambda m: component(m, "predictor")["model"].update(protocolVersion="v1"),
        lambda m: component(m, "predictor")["model"].update(modelFormat={"name": "onnx"}),
    ],
    "probes-present": [
        lambda m: container(m).pop("readinessProbe"),
        lambda m: runtime(m)["livenessProbe"]["httpGet"].update(port=8082),
    ],
    "readiness-is-true": [
        lambda m: container(m).update(readinessProbe={"tcpSocket": {"port": 8080}}),
        lambda m: runtime(m)["readinessProbe"]["httpGet"].update(path="/v2/health/live"),
    ],
    "drains-in-time": [
        lambda m: component(m, "explainer").update(terminationGracePeriodSeconds=32),
        lambda m: set_env(runtime(m), "DNS_RISK_GRACE_S", "60"),
    ],
    "endpoints-forget-first": [lambda m: container(m).pop("lifecycle")],
    "image-pinned": [
        lambda m: container(m).update(image="dns-risk/transformer"),
        lambda m: runtime(m).update(image="registry.example:5000/dns-risk/predictor"),
        lambda m: find(m, "Deployment", "dns-risk-rollout")["spec"]["template"]["spec"]["containers"][
            0
        ].update(image="dns-risk/rollout:latest"),
    ],
    "restricted": [
        lambda m: runtime(m)["securityContext"].update(runAsUser=0),
        lambda m: container(m)["securityContext"].update(readOnlyRootFilesystem=False),
        lambda m: container(m)["securityContext"].pop("seccompProfile"),
        lambda m: component(m, "explainer").update(hostNetwork=True),
    ],
    "resources-bounded": [
        lambda m: container(m)["resources"]["limits"].pop("memory"),
        lambda m: component(m, "explainer")["volumes"][0].update(emptyDir={}),
    ],
    "volumes-exist": [lambda m: container(m)["volumeMounts"][0].update(name="temp")],
    "no-token": [lambda m: component(m, "predictor").pop("automountServiceAccountToken")],
    "no-secret-literal": [lambda m: set_env(container(m), "AWS_SECRET_ACCESS_KEY", "x")],
    "account-exists": [lambda m: component(m, "predictor").update(serviceAccountName="default")],
    "least-privilege": [
        lambda m: find(m, "Role", "dns-risk-rollout")["rules"][0].update(verbs=["*"]),
        lambda m: find(m, "Role", "dns-risk-rollout").update(kind="ClusterRole"),
    ],
    "weights-sum": [
        lambda m: find(m, "HTTPRoute")["spec"]["rules"][0]["backendRefs"][0].update(weight=90),
    ],
    "split-is-one": [
        lambda m: [
            backend.update(weight=weight)
            for backend, weight in zip(
                find(m, "GRPCRoute")["spec"]["rules"][0]["backendRefs"], (95, 5), strict=True
            )
        ],
    ],
    "backends-exist": [
        lambda m: find(m, "HTTPRoute")["spec"]["rules"][1]["backendRefs"][1].update(
            name="dns-risk-2-transformer"
        ),
        lambda m: find(m, "HTTPRoute")["spec"]["rules"][1]["backendRefs"][0].update(port=8080),
    ],
    "peers-exist": [
        lambda m: set_argument(
            container(m), "--predictor_host", "--predictor_host=elsewhere.$(POD_NAMESPACE):8081"
        ),
        lambda m: set_argument(
            container(m), "--predictor_host", "--predictor_host=dns-risk-predictor-pods:80"
        ),
        lambda m: set_env(container(m, service="dns-risk-canary"), "INFERENCE_SERVICE", "dns-risk"),
        lambda m: set_env(container(m), "INFERENCE_SERVICE", "dns-risk-canary"),
    ],
    "selectors-match": [
        lambda m: find(m, "Service", "dns-risk-predictor-pods")["spec"]["selector"].update(
            component="predict"
        ),
        lambda m: find(m, "PodDisruptionBudget", "dns-risk-explainer-budget")["spec"]["selector"][
            "matchLabels"
        ].update(component="explain"),
        lambda m: find(m, "PodMonitor")["spec"]["selector"]["matchExpressions"][0].update(values=["dnsrisk"]),
    ],
    "every-pod-has-a-policy": [lambda m: m.remove(find(m, "NetworkPolicy", "dns-risk-predictor"))],
    "one-namespace": [lambda m: find(m, "HTTPRoute")["metadata"].update(namespace="elsewhere")],
    "contract-stated": [
        lambda m: set_env(container(m), "DNS_RISK_FEATURE_SCHEMA", "0000000000000000"),
        lambda m: set_env(runtime(m), "DNS_RISK_CONTRACT_VERSION", "0"),
    ],
    "one-contract": [
        lambda m: find(m, "InferenceService", "dns-risk-canary")["metadata"]["annotations"].update(
            {"dns-risk/feature-schema": "0000000000000000"}
        ),
    ],
    "settings-known": [
        lambda m: set_env(container(m), "DNS_RISK_MODEL_DIR", "/mnt/models"),
        lambda m: set_env(runtime(m), "DNS_RISK_TORCH_THREADS", "many"),
    ],
    "ports-agree": [lambda m: set_env(container(m), "DNS_RISK_REST_PORT", "9000")],
    "one-model": [
        lambda m: component(m, "predictor")["model"].update(storageUri="s3://models/dns-risk/another")
    ],
    "one-release": [lambda m: container(m).update(image="dns-risk/transformer:0.2.0")],
}

KNATIVE: Final[dict[str, list[Change]]] = {
    "one-port-on-knative": [
        lambda m: container(m)["ports"].append({"name": "h2c", "containerPort": 8081}),
    ],
    "knative-has-the-field": [
        lambda m: component(m, "predictor").update(terminationGracePeriodSeconds=45),
        lambda m: component(m, "explainer").update(topologySpreadConstraints=[{"maxSkew": 1}]),
        lambda m: container(m).update(lifecycle={"preStop": {"sleep": {"seconds": 10}}}),
        lambda m: container(m)["env"].append({"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "a"}}}),
    ],
    "canary-percent-is-heeded": [lambda m: component(m, "predictor").update(canaryTrafficPercent=101)],
    "autoscaler-fits": [
        lambda m: find(m, "InferenceService")["metadata"]["annotations"].update(
            {"serving.kserve.io/autoscalerClass": "hpa"}
        ),
    ],
}

CASES = [
    pytest.param(overlay, rule, change, id=f"{rule}-{overlay}-{place}")
    for overlay, rules in (("production-gateway", GATEWAY), ("production-knative", KNATIVE))
    for rule, changes in rules.items()
    for place, change in enumerate(changes)
]


@pytest.mark.parametrize(("overlay", "rule", "change"), CASES)
def test_a_rule_finds_what_breaks_it(
    rendered: Callable[[str], list[Manifest]], overlay: str, rule: str, change: Change
) -> None:
    """One change to a manifest that was right, and the rule says where and what."""
    manifests = rendered(overlay)
    change(manifests)
    found = [finding for finding in lint(manifests) if finding.rule == rule]
    assert found
    assert all(finding.where and finding.what for finding in found)


def test_every_rule_is_tried() -> None:
    """No rule without a manifest that breaks it."""
    assert {rule.__name__.replace("_", "-") for rule in RULES} == {*GATEWAY, *KNATIVE, *TRAINING_RULES}
