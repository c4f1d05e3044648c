"""Every rule that schemas cannot express, over the objects of one overlay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from inference_services.manifests import (
    rules_contract,
    rules_kserve,
    rules_pods,
    rules_routes,
    rules_training,
)
from inference_services.manifests.findings import Finding, Rule
from inference_services.manifests.render import Manifest

RULES: Final[tuple[Rule, ...]] = (
    *rules_kserve.RULES,
    *rules_pods.RULES,
    *rules_routes.RULES,
    *rules_contract.RULES,
    *rules_training.RULES,
)


def lint(manifests: Sequence[Manifest]) -> list[Finding]:
    """What is wrong with an overlay's objects, each with the name of the rule that says so."""
    return [
        Finding(rule.__name__.replace("_", "-"), where, what)
        for rule in RULES
        for where, what in rule(manifests)
    ]
