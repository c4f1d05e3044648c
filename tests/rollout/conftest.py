from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inference_services.manifests.render import OVERLAYS, Manifest, RenderFailed, render
from rollout.cluster import Cluster
from rollout.controller import Controller
from rollout.policy import Policy, read_policy
from rollout.prometheus import Prometheus
from tests.kube_api.process import KubeApi, kube_api
from tests.polling import until
from tests.rollout.exporter import Exporter
from tests.rollout.prometheus_process import PrometheusProcess, prometheus

QUICK = """
steps = [50, 100]
[patience]
min_step_s = 3
max_step_s = 60
max_window_s = 3600
ready_s = 30
blind_s = 5
[traffic]
min_requests = 100
min_names = 100
[errors]
max_increase = 0.01
slo = 0.999
max_burn_rate = 14.4
[latency]
max_p95_ratio = 1.5
max_p99_ratio = 2.0
floor_ms = 10.0
[answers]
max_action_shift = 0.05
max_category_shift = 0.10
max_psi = 0.25
[feedback]
min_labels = 0
max_precision_drop = 0.05
"""


@dataclass
class World:
    """The API with an overlay's objects, a Prometheus, and an exporter a version."""

    api: KubeApi
    prometheus: PrometheusProcess
    stable: Exporter
    canary: Exporter
    policy_file: Path
    reports: Path
    open: list[Cluster] = field(default_factory=list)

    @property
    def policy(self) -> Policy:
        return read_policy(self.policy_file)

    def cluster(self, **options: Any) -> Cluster:
        """A connection of its own, closed with the test."""
        self.open.append(Cluster("dns-risk", str(self.api.kubeconfig), **options))
        return self.open[-1]

    def controller(self, **options: Any) -> Controller:
        cluster = self.cluster(**options)
        return Controller(cluster, Prometheus(self.prometheus.url), self.policy, "dns-risk")

    def arguments(self, command: str, *more: str) -> list[str]:
        """The command line of the same."""
        places = ["--kubeconfig", str(self.api.kubeconfig), "--prometheus", self.prometheus.url]
        kept = ["--policy", str(self.policy_file), "--report_dir", str(self.reports)]
        return [command, *places, *kept, *more]

    def set_ready(self, name: str, *, ready: bool = True, **status: Any) -> None:
        """Say of an InferenceService what KServe would."""
        generation = self.api.get("InferenceService", name)["metadata"]["generation"]
        condition = {"type": "Ready", "status": "True" if ready else "False"}
        found = {"conditions": [condition], "observedGeneration": generation, **status}
        self.api.patch("InferenceService", name, {"status": found}, status=True)

    def weights(self) -> list[int]:
        """The canary's weight in every rule of both routes."""
        rules = [
            rule
            for kind in ("HTTPRoute", "GRPCRoute")
            for rule in self.api.get(kind, "dns-risk")["spec"]["rules"]
        ]
        return [ref["weight"] for rule in rules for ref in rule["backendRefs"] if "canary" in ref["name"]]

    def stopped(self) -> bool:
        annotations = self.api.get("InferenceService", "dns-risk-canary")["metadata"]["annotations"]
        return bool(annotations["serving.kserve.io/stop"] == "true")

    def scrape(self) -> None:
        """Have both versions scraped as the PodMonitor says."""
        versions = {"dns-risk": self.stable, "dns-risk-canary": self.canary}
        targets = {v.address: {"component": "transformer", "isvc": isvc} for isvc, v in versions.items()}
        self.prometheus.scrape(targets)

    def begin(self) -> float:
        """The Unix time from which all that the versions answer is seen as later.

        A scrape's samples have the time at which it began, and it may last a second.
        """
        start = time.time()
        time.sleep(1.1)
        return start

    def upgrade(self) -> None:
        """Replace the stable version's pod by one of the canary's model."""
        self.stable.stop()
        self.stable = Exporter(self.canary.model_version)
        self.scrape()

    def replace_canary(self, weights_sha256: str) -> None:
        """Put a pod that says these weights in the canary's place, and wait until nothing else is seen."""
        self.canary.stop()
        self.canary = Exporter(self.canary.model_version, weights_sha256)
        self.scrape()
        build = 'dns_risk_build_info{isvc="dns-risk-canary",service="predictor"%s}'
        new = f',weights_sha256="{weights_sha256}"'
        alone = f"count({build % new}) == count({build % ''})"
        until(lambda: self.prometheus.value(alone) == 1, "the canary says its weights")

    def seen(self) -> None:
        """Wait until Prometheus has both versions."""
        until(lambda: self.prometheus.value("count(dns_risk_build_info)") >= 4, "both versions are scraped")


@pytest.fixture(scope="session")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusProcess]:
    with prometheus(tmp_path_factory.mktemp("prometheus")) as process:
        yield process


def rendered(overlay: str) -> list[Manifest]:
    """An overlay's objects; skips where nothing can render them."""
    try:
        return render(OVERLAYS / overlay)
    except RenderFailed as failure:
        pytest.skip(str(failure))


@pytest.fixture
def world(tmp_path: Path, observed: PrometheusProcess) -> Iterator[World]:
    """Production behind a gateway, both versions answering nothing yet."""
    with ExitStack() as stack:
        api = stack.enter_context(kube_api(tmp_path))
        api.create(rendered("production-gateway"))
        policy = tmp_path / "policy.toml"
        policy.write_text(QUICK)
        versions = Exporter("2"), Exporter("3")
        found = World(api, observed, *versions, policy, tmp_path / "reports")
        stack.callback(lambda: [version.stop() for version in (found.stable, found.canary)])
        found.scrape()
        yield found
        for cluster in found.open:
            cluster.close()
