"""The API as a process beside the test, and objects put into it through the official client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config

from tests.serving.server_process import REPOSITORY

PLURALS = {
    "InferenceService": "inferenceservices",
    "HTTPRoute": "httproutes",
    "GRPCRoute": "grpcroutes",
}
NAMESPACE = "dns-risk"


@dataclass(frozen=True)
class KubeApi:
    """Where it answers and how the client finds it."""

    url: str
    kubeconfig: Path
    connection: Any

    def custom(self) -> Any:
        """The official client for custom resources."""
        return client.CustomObjectsApi(self.connection)

    def core(self) -> Any:
        """The official client for built-in kinds."""
        return client.CoreV1Api(self.connection)

    def get(self, kind: str, name: str) -> Any:
        group, version = GROUPS[kind]
        return self.custom().get_namespaced_custom_object(group, version, NAMESPACE, PLURALS[kind], name)

    def patch(self, kind: str, name: str, body: Any, *, status: bool = False) -> Any:
        group, version = GROUPS[kind]
        api = self.custom()
        call = api.patch_namespaced_custom_object_status if status else api.patch_namespaced_custom_object
        merge = "application/merge-patch+json"
        return call(group, version, NAMESPACE, PLURALS[kind], name, body, _content_type=merge)

    def create(self, manifests: Sequence[Any]) -> None:
        """Store those of the kinds that a rollout works on."""
        api = self.custom()
        for manifest in manifests:
            if manifest["kind"] in PLURALS:
                group, version = manifest["apiVersion"].split("/")
                api.create_namespaced_custom_object(
                    group, version, NAMESPACE, PLURALS[manifest["kind"]], manifest
                )


GROUPS = {
    "InferenceService": ("serving.kserve.io", "v1beta1"),
    "HTTPRoute": ("gateway.networking.k8s.io", "v1"),
    "GRPCRoute": ("gateway.networking.k8s.io", "v1"),
}


@contextmanager
def kube_api(folder: Path) -> Iterator[KubeApi]:
    """Run it; its kubeconfig is written into the folder."""
    command = [sys.executable, "-m", "tests.kube_api"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "current-context": "local",
                    "clusters": [{"name": "local", "cluster": {"server": url}}],
                    "users": [{"name": "local", "user": {}}],
                    "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local"}}],
                }
            )
        )
        connection = config.new_client_from_config(str(kubeconfig))
        try:
            yield KubeApi(url, kubeconfig, connection)
        finally:
            connection.rest_client.pool_manager.clear()
            process.terminate()
            process.wait(10)
