"""What training applies to a cluster is right, and what is wrong in it is named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from inference_services.manifests.__main__ import problems, training_jobs
from inference_services.manifests.lint import lint
from inference_services.manifests.render import TRAINING, Manifest, RenderFailed, render
from inference_services.manifests.schemas import Schemas
from tests.inference_services.manifests.objects import find
from training.recipe import Recipe

# Tried here, where the manifests are that they are for.
TRAINING_RULES = {"jobs-hold-no-token", "nodes-are-pods", "trials-name-their-parameters"}
NAMES = [folder.name for folder in training_jobs()]


@cache
def _rendered(name: str) -> list[Manifest]:
    return render(TRAINING / name)


def job(name: str) -> list[Manifest]:
    """The objects of a training job, to change at will."""
    try:
        return copy.deepcopy(_rendered(name))
    except RenderFailed as failure:
        if "PATH" in str(failure):
            pytest.skip(str(failure))
        raise


def test_the_jobs_are_those_that_are_documented() -> None:
    """Four to apply."""
    assert NAMES == ["distributed", "features", "schedule", "tuning"]


@pytest.mark.parametrize("name", NAMES)
def test_a_job_is_right(schemas: Schemas, name: str) -> None:
    """Every object has a schema that it fits, the linter finds nothing, and all is in training's namespace."""
    manifests = job(name)
    assert [*problems(manifests, schemas), *lint(manifests)] == []
    inside = [m for m in manifests if m["kind"] != "Namespace"]
    assert {m["metadata"].get("namespace") for m in inside} == {"dns-risk-training"}


@pytest.mark.parametrize("name", NAMES)
def test_volumes_that_are_mounted_are_claimed(name: str) -> None:
    """Each claim of a pod is in the set."""
    manifests = job(name)
    claims = {m["metadata"]["name"] for m in manifests if m["kind"] == "PersistentVolumeClaim"}
    assert claims_of(manifests)
    assert claims_of(manifests) <= claims


def claims_of(part: Any) -> set[str]:
    """Every claimName, however deep."""
    if isinstance(part, dict):
        own = {part["claimName"]} if "claimName" in part else set()
        return own.union(*(claims_of(value) for value in part.values()))
    return set().union(*(claims_of(value) for value in part)) if isinstance(part, list) else set()


def fit_job(manifests: list[Manifest], role: str = "Worker") -> Any:
    return find(manifests, "PyTorchJob", "dns-risk-fit")["spec"]["pytorchReplicaSpecs"][role]


def search(manifests: list[Manifest]) -> Any:
    return find(manifests, "Experiment", "dns-risk-recipe")["spec"]


def trial(manifests: list[Manifest]) -> Any:
    return search(manifests)["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "distributed",
            lambda m: fit_job(m).update(replica=2),
            "Worker: unknown field 'replica', did you mean",
        ),
        ("distributed", lambda m: fit_job(m).update(restartPolicy="Maybe"), "'Maybe' is not one of"),
        ("distributed", lambda m: fit_job(m).pop("template"), "'template' is a required property"),
        (
            "distributed",
            lambda m: fit_job(m)["template"]["spec"].update(container=[]),
            "unknown field 'container', did you mean 'containers'?",
        ),
        ("tuning", lambda m: search(m).update(maxTrials=3), "unknown field 'maxTrials'"),
        ("tuning", lambda m: search(m)["objective"].update(type="most"), "'most' is not one of"),
        (
            "tuning",
            lambda m: search(m)["parameters"][0]["feasibleSpace"].update(min=0.1),
            "0.1 is not of type",
        ),
        ("tuning", lambda m: trial(m).update(restartPolicie="Never"), "unknown field 'restartPolicie'"),
    ],
)
def test_what_does_not_fit_is_named(
    schemas: Schemas, name: str, change: Callable[[Any], Any], said: str
) -> None:
    """Kubeflow's own fields, and Kubernetes' inside of them."""
    manifests = job(name)
    change(manifests)
    found = problems(manifests, schemas)
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "distributed",
            lambda m: fit_job(m).update(replicas=3),
            "nodes-are-pods: PyTorchJob dns-risk-fit, Worker: the job has 4 pods: needs --nnodes=4",
        ),
        (
            "distributed",
            lambda m: fit_job(m)["template"]["spec"]["containers"][0].update(name="fit"),
            "container is fit, not pytorch",
        ),
        (
            "distributed",
            lambda m: fit_job(m)["template"]["spec"].pop("automountServiceAccountToken"),
            "jobs-hold-no-token: PyTorchJob dns-risk-fit",
        ),
        (
            "distributed",
            lambda m: fit_job(m)["template"]["spec"]["containers"][0]["securityContext"].pop("runAsNonRoot"),
            "container pytorch needs runAsNonRoot: true",
        ),
        (
            "tuning",
            lambda m: search(m)["parameters"].pop(),
            "trials-name-their-parameters: Experiment dns-risk-recipe: parameter evidence_batch is",
        ),
        (
            "tuning",
            lambda m: trial(m)["containers"][0]["args"].pop(),
            "trial parameter evidenceBatch is declared or used, not both",
        ),
        ("tuning", lambda m: trial(m)["containers"][0].update(name="other"), "no container fit in the trial"),
        ("tuning", lambda m: trial(m)["containers"][0].pop("resources"), "resources-bounded: Experiment"),
    ],
)
def test_what_breaks_a_rule_is_named(name: str, change: Callable[[Any], Any], said: str) -> None:
    """Each of training's rules, and those of every pod, on the kinds that only Kubeflow knows."""
    manifests = job(name)
    change(manifests)
    found = [str(finding) for finding in lint(manifests)]
    assert any(said in finding for finding in found), found


def test_the_search_is_over_numbers_of_the_recipe() -> None:
    """Each by its name, of its type, within bounds that hold the recipe's own, and with an end."""
    spec, recipe = search(job("tuning")), Recipe().as_dict()
    for parameter in spec["parameters"]:
        own, space = recipe[parameter["name"]], parameter["feasibleSpace"]
        assert parameter["parameterType"] == ("int" if isinstance(own, int) else "double")
        assert float(space["min"]) <= own <= float(space["max"]), parameter["name"]
    assert spec["maxTrialCount"] <= 50


def test_retraining_is_never_twice_at_once() -> None:
    """A run that takes long is not joined by the next."""
    assert find(job("schedule"), "CronJob", "dns-risk-retrain")["spec"]["concurrencyPolicy"] == "Forbid"
