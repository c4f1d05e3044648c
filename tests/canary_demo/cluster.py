"""What a cluster does of itself, as far as a rollout needs: KServe's controller and the gateway's.

It watches InferenceServices and routes in the API, runs the processes that they ask for, writes their readiness
back, and gives the proxy and Prometheus the new addresses.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inference_services.processes import ServiceFailed
from tests.canary_demo.pods import Pods
from tests.canary_demo.proxy import configuration
from tests.canary_demo.versions import Version
from tests.kube_api.process import GROUPS, NAMESPACE, PLURALS, KubeApi
from tests.nginx_process import Nginx

STABLE, CANARY = "dns-risk", "dns-risk-canary"
ROUTES = ("HTTPRoute", "GRPCRoute")
STOP = "serving.kserve.io/stop"
PERIOD_S = 0.2


@dataclass(frozen=True)
class Split:
    """Weights in force: from when the proxy had them alone until it began to use others."""

    canary_percent: int | None
    mirrored: bool
    since: float


@dataclass
class Workload:
    """The processes of one InferenceService: those that answer, and those that will take over."""

    current: Pods | None = None
    coming: Pods | None = None
    failed_uri: str = ""


@dataclass
class Cluster:
    """The two controllers in one thread."""

    api: KubeApi
    versions: Mapping[str, Version]
    """By storageUri."""
    graph_store: Path
    folder: Path
    ports: Mapping[str, int]
    """Where the proxy listens, by kind of route."""
    scrape: Callable[[Mapping[str, Mapping[str, str]]], None]
    splits: list[Split] = field(default_factory=list)
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        self._objects = self.api.custom()
        self._workloads = {STABLE: Workload(), CANARY: Workload()}
        self._stopping = threading.Event()
        self._nginx: Nginx | None = None
        self._configuration = ""
        self._drains = ThreadPoolExecutor(4)
        self._draining: list[Future[None]] = []
        self._thread = threading.Thread(target=self._work, name="cluster")

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End every process that it started."""
        self._stopping.set()
        self._thread.join()
        if self._nginx:
            self._nginx.stop()
        for workload in self._workloads.values():
            for pods in (workload.current, workload.coming):
                self._drain(pods)
        self._drains.shutdown()

    def ready(self) -> bool:
        """Whether the stable version answers behind the proxy; raises what ended the controllers."""
        if self.failure:
            raise self.failure
        return self._nginx is not None and self._workloads[STABLE].current is not None

    def _work(self) -> None:
        while not self._stopping.wait(PERIOD_S):
            try:
                self._look()
            except BaseException as failure:  # noqa: BLE001 - the thread that waits raises it
                self.failure = failure
                return

    def _get(self, kind: str, name: str) -> Any:
        group, version = GROUPS[kind]
        return self._objects.get_namespaced_custom_object(group, version, NAMESPACE, PLURALS[kind], name)

    def _look(self) -> None:
        # Services before routes: traffic that has left a version is then seen with its stop, or before.
        services = [self._get("InferenceService", name) for name in (STABLE, CANARY)]
        routes = [self._get(kind, STABLE) for kind in ROUTES]
        self._route(routes)
        for service in services:
            self._run(service, routes)

    def _run(self, service: Any, routes: list[Any]) -> None:
        name, uri = service["metadata"]["name"], _wanted_uri(service)
        workload = self._workloads[name]
        if workload.coming and workload.coming.version.uri != uri:
            self._drain(workload.coming)
            workload.coming = None
        has = workload.current.version.uri if workload.current else ""
        if uri and uri not in {has, workload.failed_uri} and workload.coming is None:
            workload.coming = Pods.start(name, self.versions[uri], self.graph_store)
        if _came_up(workload) or (workload.current and not uri):
            self._take_over(workload, routes)
        self._tell(service, ready=_is_ready(workload, uri), stopped=not uri)

    def _take_over(self, workload: Workload, routes: list[Any]) -> None:
        """The next processes get the traffic, then the ones before are drained."""
        before, workload.current, workload.coming = workload.current, workload.coming, None
        self.scrape({a: labels for pods in self._running() for a, labels in pods.targets().items()})
        self._route(routes)
        self._drain(before)

    def _running(self) -> list[Pods]:
        return [workload.current for workload in self._workloads.values() if workload.current]

    def _drain(self, pods: Pods | None) -> None:
        if pods:
            self._draining.append(self._drains.submit(pods.stop))

    def _route(self, routes: list[Any]) -> None:
        addresses = {key: value for pods in self._running() for key, value in pods.addresses().items()}
        wanted = configuration(routes, addresses, self.ports, self.folder)
        if wanted == self._configuration:
            return
        self.splits.append(Split(None, mirrored=False, since=time.time()))
        if self._nginx:
            self._nginx.reload(wanted)
        elif addresses:
            self._nginx = Nginx(self.folder, wanted)
        self._configuration = wanted
        percents = {_canary_percent(rule) for route in routes for rule in route["spec"]["rules"]}
        mirrored = any(rule.get("filters") for route in routes for rule in route["spec"]["rules"])
        self.splits.append(Split(percents.pop() if len(percents) == 1 else None, mirrored, time.time()))

    def _tell(self, service: Any, *, ready: bool, stopped: bool) -> None:
        ready_now = {"type": "Ready", "status": str(ready), "reason": "Stopped" if stopped else "Running"}
        status = {"conditions": [ready_now]}
        # KServe has seen the object at once; here it has when what runs is what the object says.
        if ready or stopped:
            status["observedGeneration"] = service["metadata"]["generation"]
        if any(service.get("status", {}).get(key) != value for key, value in status.items()):
            self.api.patch("InferenceService", service["metadata"]["name"], {"status": status}, status=True)


def _wanted_uri(service: Any) -> str:
    if service["metadata"].get("annotations", {}).get(STOP) == "true":
        return ""
    return str(service["spec"]["predictor"]["model"]["storageUri"])


def _came_up(workload: Workload) -> bool:
    try:
        return workload.coming is not None and workload.coming.ready()
    except ServiceFailed:
        assert workload.coming is not None
        workload.failed_uri = workload.coming.version.uri
        workload.coming.stop()
        workload.coming = None
        return False


def _is_ready(workload: Workload, uri: str) -> bool:
    current = workload.current
    return current is not None and current.alive() and current.version.uri == uri


def _canary_percent(rule: Any) -> int:
    total = sum(ref["weight"] for ref in rule["backendRefs"])
    return round(100 * sum(ref["weight"] for ref in rule["backendRefs"] if CANARY in ref["name"]) / total)
