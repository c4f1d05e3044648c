"""The stand-in answers the official client as a Kubernetes API does, as far as a rollout goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from tests.kube_api.process import NAMESPACE, KubeApi, kube_api

SERVICE = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "dns-risk", "annotations": {"a": "1"}},
    "spec": {"predictor": {"minReplicas": 1}},
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[KubeApi]:
    with kube_api(tmp_path) as running:
        running.create([SERVICE])
        yield running


def refused(call: Any) -> int:
    """The status that the client raises."""
    with pytest.raises(client.ApiException) as error:
        call()
    return int(error.value.status or 0)


def test_a_patch_merges_and_counts(api: KubeApi) -> None:
    """Each patch has a new resourceVersion; only a change of the spec has a new generation."""
    before = api.get("InferenceService", "dns-risk")
    api.patch("InferenceService", "dns-risk", {"metadata": {"annotations": {"b": "2"}}})
    api.patch("InferenceService", "dns-risk", {"spec": {"predictor": {"minReplicas": 2}}})
    after = api.get("InferenceService", "dns-risk")
    assert after["metadata"]["annotations"] == {"a": "1", "b": "2"}
    assert after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    assert (before["metadata"]["generation"], after["metadata"]["generation"]) == (1, 2)


def test_status_and_spec_are_patched_apart(api: KubeApi) -> None:
    """As with a status sub-resource."""
    api.patch("InferenceService", "dns-risk", {"status": {"url": "x"}, "spec": {}}, status=True)
    api.patch("InferenceService", "dns-risk", {"status": {"url": "y"}})
    found = api.get("InferenceService", "dns-risk")
    assert found["status"] == {"url": "x"}
    assert found["spec"] == SERVICE["spec"]


def test_a_stale_resource_version_is_a_conflict(api: KubeApi) -> None:
    """In a patch and in a replacement; what is there already, and what is not, is told too."""
    stale = api.get("InferenceService", "dns-risk")["metadata"]["resourceVersion"]
    api.patch("InferenceService", "dns-risk", {"spec": {"predictor": {"minReplicas": 3}}})
    late = {"metadata": {"resourceVersion": stale}, "spec": {}}
    assert refused(lambda: api.patch("InferenceService", "dns-risk", late)) == 409
    assert refused(lambda: api.create([SERVICE])) == 409
    assert refused(lambda: api.get("InferenceService", "absent")) == 404


def test_built_in_kinds_are_kept_too(api: KubeApi) -> None:
    """ConfigMaps with optimistic locking, Events with generated names."""
    core = api.core()
    made = core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "m"}, "data": {"k": "1"}})
    body = {"metadata": {"name": "m", "resourceVersion": made.metadata.resource_version}, "data": {"k": "2"}}
    core.replace_namespaced_config_map("m", NAMESPACE, body)
    assert refused(lambda: core.replace_namespaced_config_map("m", NAMESPACE, body)) == 409
    assert core.read_namespaced_config_map("m", NAMESPACE).data == {"k": "2"}
    event = {"metadata": {"generateName": "e-"}, "involvedObject": {}, "message": "hello"}
    core.create_namespaced_event(NAMESPACE, event)
    assert [e.message for e in core.list_namespaced_event(NAMESPACE).items] == ["hello"]
