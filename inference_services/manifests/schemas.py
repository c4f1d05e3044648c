"""Every object against its schema: custom resources by their CRD files, built-in kinds by Kubernetes' own.

Kubeflow's kinds are checked by what `kubeflow.py` says of them, unless the folder has their CRD files.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import kubernetes_validate
import yaml

from inference_services.manifests import kubeflow
from inference_services.manifests.render import Manifest
from inference_services.manifests.structural import closed

# KServe 0.20 asks for 1.32 or later.
KUBERNETES_VERSION: Final = "1.32"
_UNKNOWN_FIELD: Final = re.compile(r"Additional properties are not allowed \((.*) (?:was|were) unexpected\)")


class NoSchemas(Exception):
    """No CRD schemas where they are looked for."""


class Schemas:
    """The schemas of one folder of CRD files, and those of Kubernetes."""

    def __init__(self, folder: Path) -> None:
        """Read the folder.

        Raises:
            NoSchemas: it is absent or holds no CustomResourceDefinition.
        """
        self._schemas = dict(_definitions(folder))
        if not self._schemas:
            raise NoSchemas(
                f"no CRD schemas in {folder}: set DNS_RISK_CRDS to a folder of them; "
                "docs/deploying.md says where they are had"
            )

    def problems(self, manifest: Manifest) -> Iterator[str]:
        """What is wrong with an object, one sentence each; nothing where it is right."""
        kind = (str(manifest.get("apiVersion")), str(manifest.get("kind")))
        if kind not in self._schemas:
            yield from _problems_without_crd(manifest)
            return
        yield from _metadata_problems(manifest)
        for error in jsonschema.Draft202012Validator(self._schemas[kind]).iter_errors(manifest):
            yield from _sentences(error)


def _definitions(folder: Path) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    for path in sorted(folder.rglob("*.yaml")):
        for document in _documents(path):
            if document and document.get("kind") == "CustomResourceDefinition":
                spec = document["spec"]
                for version in spec["versions"]:
                    kind = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                    schema = version["schema"]["openAPIV3Schema"]
                    # One without fields, as Katib's, admits anything and says nothing.
                    if "properties" in schema:
                        yield kind, _whole(closed(schema))


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    # Istio's files leave out what every object has.
    common: dict[str, Any] = {"apiVersion": {}, "kind": {}, "metadata": {}}
    return schema | {"properties": common | schema["properties"]}


# libyaml: one of them has two megabytes.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML cannot construct a plain `=`, a value of YAML 1.1; in schemas it is an operator."""


_Loader.add_constructor("tag:yaml.org,2002:value", _Loader.construct_yaml_str)


@cache
def _documents(path: Path) -> list[Any]:
    return list(yaml.load_all(path.read_text(), _Loader))


def _problems_without_crd(manifest: Manifest) -> Iterator[str]:
    schema = kubeflow.SCHEMAS.get(str(manifest.get("kind")))
    if schema is None or not str(manifest.get("apiVersion")).startswith("kubeflow.org/"):
        yield from _built_in_problems(manifest)
        return
    yield from _metadata_problems(manifest)
    for error in jsonschema.Draft202012Validator(schema).iter_errors(manifest):
        yield from _sentences(error)
    for inner in kubeflow.inner_objects(manifest):
        yield from _built_in_problems(inner)


def _built_in_problems(manifest: Manifest) -> Iterator[str]:
    try:
        kubernetes_validate.validate(manifest, KUBERNETES_VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield from _sentences(error)
    except kubernetes_validate.SchemaNotFoundError:
        yield f"no schema of {manifest.get('apiVersion')} {manifest.get('kind')} is known"


def _metadata_problems(manifest: Manifest) -> Iterator[str]:
    # CRD files leave metadata open; it is the same for every kind.
    bare = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": manifest.get("metadata", {})}
    yield from _built_in_problems(bare)


def _sentences(error: Any) -> Iterator[str]:
    place = ".".join(str(step) for step in error.absolute_path) or "the object"
    unknown = _UNKNOWN_FIELD.match(error.message)
    if unknown is None:
        yield f"{place}: {error.message[:300]}"
        return
    known = list(error.schema.get("properties", {}))
    for name in re.findall(r"'([^']*)'", unknown[1]):
        similar = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {similar[0]!r}?" if similar else ""
        yield f"{place}: unknown field {name!r}{hint}"
