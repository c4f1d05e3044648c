"""The plan as a pipeline of Kubeflow: a component a step, edges from what each step needs."""

# No `from __future__ import annotations`: KFP reads the types of a pipeline's parameters, not their text.
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kfp import compiler, dsl, kubernetes
from kfp.dsl.base_component import BaseComponent

from training.steps.step import Step

PIPELINE: Final = "dns-risk-training"
# The user of our images.
_USER: Final = 65532


@dataclass(frozen=True, slots=True)
class Site:
    """Where a pipeline runs.

    Fields:
        image  of the components
        claim  volume claim with the data files; None where the folder is simply there
        data   folder of the data files, where the claim is mounted
    """

    image: str
    claim: str | None
    data: str


# KFP reads a component's inputs from a function's signature and sends its source along, so every step needs a
# function of its own. What it does is said once, in training/kubeflow/component.py.
_SOURCE: Final = """\
def {name}({artifacts}result: Output[Artifact], data: str, recipe: dict, version: str):
    from training.kubeflow.component import run_step

    run_step("{name}", data, recipe, version, {{{folders}}}, result.path)
"""


def source_of(step: Step) -> str:
    """The function that KFP sends to a step's container.

    >>> print(source_of(Step("split", print, needs=("load",))).splitlines()[0])
    def split(load: Input[Artifact], result: Output[Artifact], data: str, recipe: dict, version: str):
    """
    return _SOURCE.format(
        name=step.name,
        artifacts="".join(f"{need}: Input[Artifact], " for need in step.needs),
        folders=", ".join(f'"{need}": {need}.path' for need in step.needs),
    )


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

    @dsl.pipeline(name=PIPELINE, description="Trains, judges and packages a version.")  # type: ignore[untyped-decorator]  # not in this environment
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

    return whole


def _reads_data(step: Step) -> bool:
    return bool(step.files or step.optional_files)


def _place(task: dsl.PipelineTask, step: Step, site: Site) -> None:
    task.set_cpu_request("1").set_cpu_limit("4").set_memory_request("4Gi").set_memory_limit("8Gi")
    kubernetes.set_security_context(task, run_as_user=_USER, run_as_group=_USER, run_as_non_root=True)
    if _reads_data(step):
        # KFP knows the folder's name only: the files in it may be others than last time.
        task.set_caching_options(enable_caching=False)
        if site.claim is not None:
            kubernetes.mount_pvc(task, pvc_name=site.claim, mount_path=site.data)


def write_pipeline(steps: Sequence[Step], site: Site, path: Path) -> None:
    """Compile a pipeline to YAML, as Kubeflow takes it: its plan, then what Kubernetes needs beside it."""
    compiler.Compiler().compile(pipeline(steps, site), str(path))
