"""Places in rendered objects, by the names that people give them."""

from __future__ import annotations

from typing import Any

from inference_services.manifests.render import Manifest


def find(manifests: list[Manifest], kind: str, name: str = "dns-risk") -> Any:
    """The object of this kind and name."""
    return next(m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)


def component(manifests: list[Manifest], name: str, service: str = "dns-risk") -> Any:
    """A component's spec."""
    return find(manifests, "InferenceService", service)["spec"][name]


def container(manifests: list[Manifest], name: str = "transformer", service: str = "dns-risk") -> Any:
    """The container of a component that has one."""
    return component(manifests, name, service)["containers"][0]


def runtime(manifests: list[Manifest]) -> Any:
    """The predictor's container."""
    return find(manifests, "ServingRuntime", "dns-gnn")["spec"]["containers"][0]


def set_env(of: Any, name: str, value: str) -> None:
    """Give a container's variable this value."""
    of["env"] = [entry for entry in of["env"] if entry["name"] != name] + [{"name": name, "value": value}]


def set_argument(of: Any, start: str, argument: str) -> None:
    """Replace the argument that begins so."""
    of["args"] = [argument if given.startswith(start) else given for given in of["args"]]
