"""Kubeflow's kinds, whose CRD files are not at hand: the documented fields that we use, and no others.

Fields and values are of the Training Operator's PyTorchJob v1 and Katib's Experiment v1beta1, as documented
in 2026. What they hold of Kubernetes' own (pods, jobs) is checked by Kubernetes' own schemas.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from inference_services.manifests.render import Manifest

Schema = dict[str, Any]


def _object(required: str = "", **properties: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 1}
_OPEN: Final[Schema] = {"type": "object"}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def _one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def _kind(version: str, kind: str, spec: Schema) -> Schema:
    head = {"apiVersion": _one_of(version), "kind": _one_of(kind), "metadata": _OPEN}
    return _object("apiVersion kind metadata spec", spec=spec, **head)


_REPLICA: Final = _object(
    "replicas restartPolicy template",
    replicas=_COUNT,
    restartPolicy=_one_of("Always", "OnFailure", "Never", "ExitCode"),
    template=_OPEN,
)
_PYTORCH_JOB: Final = _object(
    "pytorchReplicaSpecs",
    nprocPerNode=_TEXT,
    pytorchReplicaSpecs=_object("Master", Master=_REPLICA, Worker=_REPLICA),
    runPolicy=_object(
        cleanPodPolicy=_one_of("All", "Running", "None"),
        backoffLimit={"type": "integer", "minimum": 0},
        activeDeadlineSeconds=_COUNT,
        ttlSecondsAfterFinished={"type": "integer", "minimum": 0},
        suspend={"type": "boolean"},
    ),
)

# Katib's numbers are texts.
_NUMBER: Final[Schema] = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
_PARAMETER: Final = _object(
    "name parameterType feasibleSpace",
    name=_TEXT,
    parameterType=_one_of("double", "int", "discrete", "categorical"),
    feasibleSpace=_object(min=_NUMBER, max=_NUMBER, step=_NUMBER, list=_list(_TEXT)),
)
_EXPERIMENT: Final = _object(
    "objective algorithm parameters trialTemplate maxTrialCount",
    objective=_object(
        "type objectiveMetricName",
        type=_one_of("maximize", "minimize"),
        goal={"type": "number"},
        objectiveMetricName=_TEXT,
        additionalMetricNames=_list(_TEXT),
    ),
    algorithm=_object(
        "algorithmName",
        algorithmName=_TEXT,
        algorithmSettings=_list(_object("name value", name=_TEXT, value=_TEXT)),
    ),
    maxTrialCount=_COUNT,
    parallelTrialCount=_COUNT,
    maxFailedTrialCount={"type": "integer", "minimum": 0},
    resumePolicy=_one_of("Never", "LongRunning", "FromVolume"),
    metricsCollectorSpec=_object(
        "collector",
        collector=_object("kind", kind=_one_of("StdOut", "File", "None")),
        source=_object(filter=_object("metricsFormat", metricsFormat=_list(_TEXT)), fileSystemPath=_OPEN),
    ),
    parameters=_list(_PARAMETER),
    trialTemplate=_object(
        "primaryContainerName trialParameters trialSpec",
        retain={"type": "boolean"},
        primaryContainerName=_TEXT,
        trialParameters=_list(
            _object("name reference", name=_TEXT, reference=_TEXT, description={"type": "string"})
        ),
        trialSpec=_OPEN,
    ),
)

SCHEMAS: Final[dict[str, Schema]] = {
    "PyTorchJob": _kind("kubeflow.org/v1", "PyTorchJob", _PYTORCH_JOB),
    "Experiment": _kind("kubeflow.org/v1beta1", "Experiment", _EXPERIMENT),
}


def inner_objects(manifest: Manifest) -> Iterator[Manifest]:
    """The pods of a PyTorchJob, the job of an Experiment's trials, as objects of their own."""
    name, spec = manifest["metadata"]["name"], manifest["spec"]
    for role, replica in spec.get("pytorchReplicaSpecs", {}).items():
        pod = replica.get("template", {})
        # The operator says when a pod is begun again.
        inner = {**pod.get("spec", {}), "restartPolicy": "Never"}
        metadata = {"name": f"{name}-{role.lower()}-0", **pod.get("metadata", {})}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": inner}
    trial = spec.get("trialTemplate", {}).get("trialSpec")
    if trial is not None:
        # Katib names trials.
        yield {**trial, "metadata": {"name": f"{name}-trial", **trial.get("metadata", {})}}
