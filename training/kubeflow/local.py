"""The pipeline on this machine: the same components, in processes that KFP's local runner starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kfp import local

from training.kubeflow.pipeline import Site, pipeline
from training.steps.step import Step


class RunFailed(Exception):
    """A step of a local run ended with an error, which it has printed."""


def run_local(
    steps: Sequence[Step], data: Path, work: Path, recipe: Mapping[str, float], version: str
) -> Path:
    """Run steps one after another; the result is the folder with a folder a step, `result` inside.

    Raises:
        RunFailed: a step failed.
    """
    before = set(_runs(work))
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(work.resolve()))
    # Processes of this environment run in no image.
    site = Site("python", None, str(data.resolve()))
    try:
        pipeline(steps, site)(data=site.data, recipe=dict(recipe), version=version)
    except RuntimeError as failure:
        raise RunFailed(f"{work}: {failure}") from None
    (made,) = set(_runs(work)) - before
    return made


def _runs(work: Path) -> list[Path]:
    return [path for path in work.glob("*") if path.is_dir()]
