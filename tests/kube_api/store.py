"""Objects as a Kubernetes API keeps them: resourceVersion, generation, merge patches, conflicts."""

from __future__ import annotations

import copy
import itertools
import threading
from typing import Any

Object = dict[str, Any]


class Refusal(Exception):
    """An answer other than 200, with Kubernetes' reason."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class Store:
    """Objects by their collection's path and their name."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], Object] = {}
        self._versions = itertools.count(1)
        self._names = itertools.count(1)
        self._lock = threading.Lock()

    def get(self, collection: str, name: str) -> Object:
        with self._lock:
            return copy.deepcopy(self._found(collection, name))

    def list(self, collection: str) -> list[Object]:
        with self._lock:
            return [copy.deepcopy(kept) for (where, _), kept in self._objects.items() if where == collection]

    def create(self, collection: str, new: Object) -> Object:
        metadata = new.setdefault("metadata", {})
        with self._lock:
            name = metadata.setdefault("name", f"{metadata.get('generateName', '')}{next(self._names)}")
            if (collection, name) in self._objects:
                raise Refusal(409, "AlreadyExists", f"{name} already exists")
            metadata["generation"] = 1
            return self._keep(collection, name, new)

    def replace(self, collection: str, name: str, new: Object) -> Object:
        with self._lock:
            old = self._found(collection, name)
            _check_version(old, new)
            new["metadata"] = {**old["metadata"], **new.get("metadata", {})}
            return self._keep(collection, name, _counted(old, new))

    def patch(self, collection: str, name: str, change: Object, *, status: bool) -> Object:
        with self._lock:
            old = self._found(collection, name)
            _check_version(old, change)
            # A change of an object leaves its status alone, one of its status all the rest.
            part = {"status": change.get("status")} if status else {**change, "status": {}}
            return self._keep(collection, name, _counted(old, merged(copy.deepcopy(old), part)))

    def delete(self, collection: str, name: str) -> Object:
        with self._lock:
            found = self._found(collection, name)
            del self._objects[collection, name]
            return found

    def _found(self, collection: str, name: str) -> Object:
        if (collection, name) not in self._objects:
            raise Refusal(404, "NotFound", f"{name} not found")
        return self._objects[collection, name]

    def _keep(self, collection: str, name: str, new: Object) -> Object:
        new["metadata"]["resourceVersion"] = str(next(self._versions))
        self._objects[collection, name] = new
        return copy.deepcopy(new)


def _check_version(old: Object, new: Object) -> None:
    asked = new.get("metadata", {}).get("resourceVersion")
    if asked is not None and asked != old["metadata"]["resourceVersion"]:
        raise Refusal(
            409, "Conflict", f"resourceVersion is {old['metadata']['resourceVersion']}, not {asked}"
        )


def _counted(old: Object, new: Object) -> Object:
    generation = old["metadata"]["generation"]
    new["metadata"]["generation"] = generation + (old.get("spec") != new.get("spec"))
    return new


def merged(old: Any, change: Any) -> Any:
    """JSON merge patch (RFC 7386).

    >>> merged({"a": 1, "b": {"c": [1, 2]}}, {"a": None, "b": {"c": [3]}})
    {'b': {'c': [3]}}
    """
    if not isinstance(change, dict):
        return change
    result = dict(old) if isinstance(old, dict) else {}
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
