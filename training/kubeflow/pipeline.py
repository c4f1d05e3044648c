"""The plan as a pipeline of Kubeflow: a component a step, edges from what each step needs."""

# No `from __future__ import annotations`: KFP reads the types of a pipeline's parameters, not their text.
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kfp import compiler, dsl, kubernetes
from kfp.dsl.base_component import BaseComponent

from training.kubeflow.component import source_of
from training.steps.step import Step

PIPELINE: Final = "dns-risk-training"
# The user of our images.
_USER: Final = 65532


@dataclass(frozen=True, slots=True)
class Site:
    """Where a pipeline runs.

    Fields:
        image  of the components
        claim  volume claim with the data files; None on this machine, which has no pods
        data   folder of the data files, where the claim is mounted
    """

    image: str
    claim: str | None
    data: str


def component(step: Step, image: str) -> BaseComponent:
    """A step as a component: artifacts of the needed steps in, its folder out as `result`.

    The image has KFP and all that training imports; nothing is installed when a pod starts.
    """
    return dsl.component(_function(step), base_image=image, install_kfp_package=False)


def _function(step: Step) -> Callable[..., None]:
    source, file = source_of(step), f"<step {step.name}>"
    # Where `inspect.getsource` looks for code that is in no file.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"Artifact": dsl.Artifact, "Input": dsl.Input, "Output": dsl.Output}
    exec(compile(source, file, "exec", dont_inherit=True), scope)  # noqa: S102 - our own text, from names of steps
    function: Callable[..., None] = scope[step.name]
    return function


def pipeline(steps: Sequence[Step], site: Site) -> BaseComponent:
    """A pipeline of steps in order, each after those that it needs; its parameters: data, recipe, version."""

    def whole(data: str = site.data, recipe: dict = {}, version: str = "1") -> None:  # noqa: B006 - KFP copies it
        done: dict[str, dsl.PipelineTask] = {}
        for step in steps:
            folders = {need: done[need].outputs["result"] for need in step.needs}
            done[step.name] = component(step, site.image)(
                **folders,
                data=data if _reads_data(step) else "",
                recipe=recipe,
                version=version if step.versioned else "",
            )
            _place(done[step.name], step, site)

    about = "Trains, judges and packages a version of the model."
    return dsl.pipeline(name=PIPELINE, description=about)(whole)


def _reads_data(step: Step) -> bool:
    return bool(step.files or step.optional_files)


def _place(task: dsl.PipelineTask, step: Step, site: Site) -> None:
    if _reads_data(step):
        # KFP knows the folder's name only: the files in it may be others than last time.
        task.set_caching_options(enable_caching=False)
    if site.claim is None:
        return
    task.set_cpu_request("1").set_cpu_limit("4").set_memory_request("4Gi").set_memory_limit("8Gi")
    kubernetes.set_security_context(task, run_as_user=_USER, run_as_group=_USER, run_as_non_root=True)
    if _reads_data(step):
        kubernetes.mount_pvc(task, pvc_name=site.claim, mount_path=site.data)


def write_pipeline(steps: Sequence[Step], site: Site, path: Path) -> None:
    """Compile a pipeline to YAML, as Kubeflow takes it: its plan, then what Kubernetes needs beside it."""
    compiler.Compiler().compile(pipeline(steps, site), str(path))
