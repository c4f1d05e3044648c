"""Schemas refuse what the API server would drop without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inference_services.manifests.render import Manifest
from inference_services.manifests.schemas import Schemas
from inference_services.manifests.structural import closed
from tests.inference_services.manifests.objects import component, find


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda m: component(m, "predictor").update(minReplica=1),
            "spec.predictor: unknown field 'minReplica', did you mean 'minReplicas'?",
        ),
        (
            lambda m: component(m, "predictor").update(minReplicas="one"),
            "spec.predictor.minReplicas: 'one' is not",
        ),
        (lambda m: find(m, "HTTPRoute")["spec"]["rules"][0].update(backends=[]), "unknown field 'backends'"),
        (lambda m: find(m, "NetworkPolicy", "metrics")["spec"].update(podSelectr={}), "podSelectr"),
        (lambda m: find(m, "InferenceService")["metadata"].update(label={}), "unknown field 'label'"),
        (
            lambda m: find(m, "PodMonitor").update(kind="PodMonitr"),
            "no schema of monitoring.coreos.com/v1 PodMonitr",
        ),
    ],
)
def test_what_is_unknown_or_of_another_type_is_named(
    rendered: Callable[[str], list[Manifest]], schemas: Schemas, change: Callable[[Any], Any], said: str
) -> None:
    """The place, what came, and what was probably meant."""
    manifests = rendered("production-gateway")
    change(manifests)
    found = [problem for manifest in manifests for problem in schemas.problems(manifest)]
    assert any(said in problem for problem in found), found


def test_structural_extensions_become_json_schema() -> None:
    """Open objects stay open, nullable values may be null, an integer or string is either."""
    assert "additionalProperties" not in closed(
        {"type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": True}
    )
    assert closed({"type": "string", "nullable": True})["type"] == ["string", "null"]
    both = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert closed({"type": "array", "items": both})["items"] == {"type": ["integer", "string"]}
