"""Training jobs: no token, as many nodes as pods, and a search whose parts name each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

from inference_services.manifests.pods import all_pods, name_of, of_kind
from inference_services.manifests.render import Manifest

Wrong = Iterator[tuple[str, str]]

_KINDS: Final = {"Job", "CronJob", "PyTorchJob", "Experiment"}
# The Training Operator looks for it by name.
_PYTORCH_CONTAINER: Final = "pytorch"
_PLACEHOLDER: Final = re.compile(r"\$\{trialParameters\.(\w+)\}")


def jobs_hold_no_token(manifests: Sequence[Manifest]) -> Wrong:
    """A job's pods hold no token for the Kubernetes API."""
    for pods in all_pods(manifests):
        if pods.component in _KINDS and pods.spec.get("automountServiceAccountToken") is not False:
            yield pods.owner, "needs automountServiceAccountToken: false"


def nodes_are_pods(manifests: Sequence[Manifest]) -> Wrong:
    """What torchrun is told of nodes is what the job has of pods, and the container is the one looked for."""
    for job in of_kind(manifests, "PyTorchJob"):
        replicas = job["spec"]["pytorchReplicaSpecs"]
        count = sum(replica["replicas"] for replica in replicas.values())
        for role, replica in replicas.items():
            container = replica["template"]["spec"]["containers"][0]
            if container["name"] != _PYTORCH_CONTAINER:
                yield f"{name_of(job)}, {role}", f"container is {container['name']}, not {_PYTORCH_CONTAINER}"
            if f"--nnodes={count}" not in container["args"]:
                yield f"{name_of(job)}, {role}", f"the job has {count} pods: needs --nnodes={count}"


def trials_name_their_parameters(manifests: Sequence[Manifest]) -> Wrong:
    """What is searched reaches the trial: parameter, its reference, the place where it is put in."""
    for experiment in of_kind(manifests, "Experiment"):
        template = experiment["spec"]["trialTemplate"]
        searched = {parameter["name"] for parameter in experiment["spec"]["parameters"]}
        declared = {parameter["name"]: parameter["reference"] for parameter in template["trialParameters"]}
        used = set(_PLACEHOLDER.findall(yaml.safe_dump(template["trialSpec"])))
        for unknown in sorted(set(declared.values()) ^ searched):
            yield name_of(experiment), f"parameter {unknown} is searched or referred to, not both"
        for unknown in sorted(used ^ set(declared)):
            yield name_of(experiment), f"trial parameter {unknown} is declared or used, not both"
        if template["primaryContainerName"] not in _containers(template["trialSpec"]):
            yield name_of(experiment), f"no container {template['primaryContainerName']} in the trial"


def _containers(job: Any) -> list[str]:
    return [container["name"] for container in job["spec"]["template"]["spec"]["containers"]]


RULES = (jobs_hold_no_token, nodes_are_pods, trials_name_their_parameters)
