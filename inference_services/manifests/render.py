"""Overlays as the objects that `kubectl apply -k` would send."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

Manifest: TypeAlias = dict[str, Any]

OVERLAYS: Final = Path(__file__).resolve().parents[1] / "overlays"
TRAINING: Final = OVERLAYS.parent / "training"

# Either is kustomize; the first is on more machines.
_TOOLS: Final = (("kubectl", "kustomize"), ("kustomize", "build"))


class RenderFailed(Exception):
    """No tool to render with, or a kustomization that cannot be rendered; the text is kustomize's own."""


def render(overlay: Path) -> list[Manifest]:
    """The objects of a kustomization.

    Raises:
        RenderFailed: neither kubectl nor kustomize is installed, or the kustomization is wrong.
    """
    command = [*_tool(), str(overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RenderFailed(f"{overlay}: {done.stderr.strip()}")
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def _tool() -> tuple[str, ...]:
    for program, *arguments in _TOOLS:
        # Debian's kubectl carries kustomize 2, which knows no components: its help has no such command line.
        if shutil.which(program) and _knows_components(program, *arguments):
            return (program, *arguments)
    raise RenderFailed("needs kubectl of 1.21 or later, or kustomize of 4.5 or later, on the PATH")


def _knows_components(*tool: str) -> bool:
    answer = subprocess.run([*tool, "--help"], capture_output=True, text=True, check=False)  # noqa: S603
    # An option of kustomize 4 and later.
    return "--load-restrictor" in answer.stdout
