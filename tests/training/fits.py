"""`python -m training fit` as a process: its command line, and a run of it that is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL

from load_tests.waiting import poll
from tests.serving.server_process import REPOSITORY
from tests.training.tiny_data import QUICK, toml
from training.recipe import Recipe

# Long enough to be killed after a checkpoint and before the end.
LONGER = replace(QUICK, lexical_batch=12, evidence_steps=20)


def fit_command(features: Path, output: Path, recipe: Recipe, launcher: Sequence[str] = ()) -> list[str]:
    """The command line of a fit, its recipe beside the output."""
    file = output.with_suffix(".toml")
    file.write_text(toml(recipe))
    given = [f"--features={features}", f"--output={output}", f"--recipe={file}"]
    return [sys.executable, *launcher, "-m", "training", "fit", *given]


def kill_after_a_checkpoint(command: Sequence[str], output: Path) -> None:
    """Run a fit that is `LONGER`, and kill it once a checkpoint lies beside its output."""
    kept = output.with_name(f"{output.name}.partial").glob
    with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL) as process:
        poll(lambda: any(kept("*/explore/lexical.safetensors")) or process.poll() is not None, limit_s=300)
        process.kill()
    assert process.returncode == -SIGKILL
