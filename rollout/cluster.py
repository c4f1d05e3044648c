"""The Kubernetes API by its official client: objects, the rollout's state, events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar

import urllib3
from kubernetes import client, config
from pydantic import ValidationError

from rollout.state import State

Object = dict[str, Any]
Patch = dict[str, Any]
Result = TypeVar("Result")

STATE: Final = "dns-risk-rollout"
_KEY: Final = "state.json"
_KINDS: Final = {
    "InferenceService": ("serving.kserve.io", "v1beta1", "inferenceservices"),
    "HTTPRoute": ("gateway.networking.k8s.io", "v1", "httproutes"),
    "GRPCRoute": ("gateway.networking.k8s.io", "v1", "grpcroutes"),
}
_MERGE: Final = "application/merge-patch+json"
_TRIES: Final = 5
_TIMEOUT_S: Final = 10.0


class ClusterFailed(Exception):
    """The API is away or refuses; the message says what was asked."""


class Overtaken(Exception):
    """Another controller has moved the rollout on: this one must stop."""


class Cluster:
    """One namespace; with `dry_run`, patches are printed instead of sent."""

    def __init__(self, namespace: str, kubeconfig: str | None = None, *, dry_run: bool = False) -> None:
        """Connect by a kubeconfig, or from within the cluster.

        Raises:
            ClusterFailed: neither is there.
        """
        self.namespace = namespace
        self.dry_run = dry_run
        self._api = _connection(kubeconfig)
        self._custom = client.CustomObjectsApi(self._api)
        self._core = client.CoreV1Api(self._api)

    def close(self) -> None:
        """Close the connections."""
        self._api.rest_client.pool_manager.clear()

    def get(self, kind: str, name: str) -> Object:
        """An object.

        Raises:
            ClusterFailed: it is not there, or the API is away.
        """
        group, version, plural = _KINDS[kind]
        found: Object = _asked(
            f"{kind} {name}",
            lambda: self._custom.get_namespaced_custom_object(
                group, version, self.namespace, plural, name, _request_timeout=_TIMEOUT_S
            ),
        )
        return found

    def edit(self, kind: str, name: str, change: Callable[[Object], Patch]) -> None:
        """Patch an object by what `change` makes of it as it stands; {} leaves it alone.

        The patch holds the resourceVersion that it was made from; where that has moved, it is made anew.

        Raises:
            ClusterFailed: the API is away, or the object keeps changing.
        """
        for _ in range(_TRIES):
            current = self.get(kind, name)
            patch = change(current)
            if not patch:
                return
            if self.dry_run:
                print(f"would patch {kind} {name}:\n{json.dumps(patch, indent=2)}")
                return
            metadata = {
                "resourceVersion": current["metadata"]["resourceVersion"],
                **patch.get("metadata", {}),
            }
            if self._patched(kind, name, {**patch, "metadata": metadata}):
                return
        raise ClusterFailed(f"{kind} {name} changes faster than it can be patched")

    def _patched(self, kind: str, name: str, patch: Patch) -> bool:
        group, version, plural = _KINDS[kind]
        try:
            _asked(
                f"patch of {kind} {name}",
                lambda: self._custom.patch_namespaced_custom_object(
                    group,
                    version,
                    self.namespace,
                    plural,
                    name,
                    patch,
                    _content_type=_MERGE,
                    _request_timeout=_TIMEOUT_S,
                ),
            )
        except _Conflict:
            return False
        return True

    def read_state(self) -> tuple[State | None, str]:
        """The rollout and the resourceVersion of its record; None and "" where there never was one.

        Raises:
            ClusterFailed: the API is away, or the record is not one of this release.
        """
        try:
            found = _asked(
                f"ConfigMap {STATE}",
                lambda: self._core.read_namespaced_config_map(
                    STATE, self.namespace, _request_timeout=_TIMEOUT_S
                ),
            )
        except _Absent:
            return None, ""
        try:
            return State.model_validate_json(found.data[_KEY]), str(found.metadata.resource_version)
        except (ValidationError, KeyError, TypeError) as error:
            raise ClusterFailed(
                f"ConfigMap {STATE} is no rollout of this release; delete it if none is under way: {error}"
            ) from None

    def write_state(self, state: State, resource_version: str) -> str:
        """Record the rollout, if nobody has since; the new resourceVersion.

        Raises:
            Overtaken: somebody has.
            ClusterFailed: the API is away.
        """
        if self.dry_run:
            return resource_version
        body = {
            "metadata": {
                "name": STATE,
                **({"resourceVersion": resource_version} if resource_version else {}),
            },
            "data": {_KEY: state.model_dump_json()},
        }
        api = self._core
        try:
            if resource_version:
                written = _asked(
                    f"ConfigMap {STATE}",
                    lambda: api.replace_namespaced_config_map(
                        STATE, self.namespace, body, _request_timeout=_TIMEOUT_S
                    ),
                )
            else:
                written = _asked(
                    f"ConfigMap {STATE}",
                    lambda: api.create_namespaced_config_map(
                        self.namespace, body, _request_timeout=_TIMEOUT_S
                    ),
                )
        except _Conflict:
            raise Overtaken("another controller works on this rollout") from None
        return str(written.metadata.resource_version)

    def event(self, service: str, reason: str, message: str, *, warning: bool = False) -> None:
        """Leave a Kubernetes Event on an InferenceService; one that cannot be left is not missed."""
        if self.dry_run:
            return
        now = datetime.now(UTC)
        about = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService"}
        body = {
            "metadata": {"generateName": f"{service}-rollout-"},
            "involvedObject": {**about, "name": service, "namespace": self.namespace},
            "reason": reason,
            # The API takes no longer ones.
            "message": message[:1000],
            "type": "Warning" if warning else "Normal",
            "source": {"component": "dns-risk-rollout"},
            "firstTimestamp": now.isoformat(),
            "lastTimestamp": now.isoformat(),
            "count": 1,
        }
        try:
            _asked(
                "an Event",
                lambda: self._core.create_namespaced_event(self.namespace, body, _request_timeout=_TIMEOUT_S),
            )
        except ClusterFailed as failure:
            print(f"no Event was left: {failure}")


def _connection(kubeconfig: str | None) -> Any:
    found = client.Configuration()
    try:
        if kubeconfig is None:
            config.load_config(client_configuration=found)
        else:
            config.load_kube_config(kubeconfig, client_configuration=found)
    except (config.ConfigException, OSError) as error:
        raise ClusterFailed(f"no cluster to talk to: {error}") from None
    return client.ApiClient(found)


class _Conflict(ClusterFailed):
    """The resourceVersion has moved, or the object exists already."""


class _Absent(ClusterFailed):
    """There is no such object."""


_FAILURES: Final[Mapping[int, type[ClusterFailed]]] = {
    HTTPStatus.CONFLICT: _Conflict,
    HTTPStatus.NOT_FOUND: _Absent,
}


def _asked(what: str, call: Callable[[], Result]) -> Result:
    """The API's answer; an API that is away is asked again, with pauses that grow."""
    for attempt in range(_TRIES):
        try:
            return call()
        except client.ApiException as error:
            last: Exception = error
            if error.status and error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                kind = _FAILURES.get(error.status, ClusterFailed)
                raise kind(f"{what}: {error.status} {error.reason}") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            last = error
        time.sleep(0.1 * 2**attempt)
    raise ClusterFailed(f"{what}: {last}")
