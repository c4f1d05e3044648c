"""Dockerfiles as their engine reads them: stages, arguments, and a builder stage that can be run without one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from dockerfile_parse import DockerfileParser

from tests.serving.server_process import REPOSITORY

IMAGES = ("predictor", "transformer", "explainer", "rollout", "training")
PLACE = "/opt/dns-risk"


@dataclass(frozen=True)
class Step:
    """One instruction and what stands behind it."""

    name: str
    value: str


def steps_of(image: str) -> list[Step]:
    """Every instruction in order, continued lines joined."""
    parser = DockerfileParser(fileobj=BytesIO((REPOSITORY / image / "Dockerfile").read_bytes()))
    return [Step(s["instruction"], s["value"]) for s in parser.structure if s["instruction"] != "COMMENT"]


def stages_of(image: str) -> list[list[Step]]:
    """The instructions of each stage, its FROM first; what stands before the first FROM is left out."""
    stages: list[list[Step]] = []
    for step in steps_of(image):
        if step.name == "FROM":
            stages.append([])
        if stages:
            stages[-1].append(step)
    return stages


class Replay:
    """The builder stage of one image, its steps done below a folder instead of in an engine."""

    def __init__(self, image: str, root: Path, python: str, arguments: Mapping[str, str]) -> None:
        self.root = root
        self._image = image
        self._python = python
        self._arguments = dict(arguments)
        self._work = root

    @property
    def environment(self) -> Path:
        """The virtual environment that the image gets."""
        return self.root / PLACE.lstrip("/")

    def run(self) -> None:
        """Do the steps, from only what they copy."""
        # The base image's Python, with its pip.
        subprocess.run([self._python, "-m", "venv", str(self.root / "base")], check=True)
        for step in stages_of(self._image)[0][1:]:
            getattr(self, f"_{step.name.lower()}")(step.value)

    def _arg(self, value: str) -> None:
        name, _, default = value.partition("=")
        self._arguments.setdefault(name, default)

    def _workdir(self, value: str) -> None:
        self._work = self.root / value.lstrip("/")
        self._work.mkdir(parents=True)

    def _copy(self, value: str) -> None:
        *sources, target = value.split()
        ignored = shutil.ignore_patterns("__pycache__")
        for source in sources:
            place = self._work / target
            if (REPOSITORY / source).is_dir():
                shutil.copytree(REPOSITORY / source, place, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(REPOSITORY / source, place)

    def _run(self, value: str) -> None:
        environment = {
            "PATH": f"{self.root / 'base' / 'bin'}:/usr/bin:/bin",
            **{name: os.environ[name] for name in os.environ if name.startswith("PIP_")},
            "HOME": os.environ["HOME"],
            **self._arguments,
        }
        command = ["bash", "-euc", value.replace(PLACE, str(self.environment))]
        done = subprocess.run(
            command, cwd=self._work, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{value}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def distributions(environment: Path) -> Iterator[str]:
    """The names of what is installed in a virtual environment, in lower case with hyphens."""
    for found in (environment / "lib" / "python3.11" / "site-packages").glob("*.dist-info"):
        yield re.sub(r"[-_.]+", "-", found.name.partition("-")[0]).lower()


def size_mb(folder: Path) -> float:
    """What the files of a folder take."""
    return sum(path.lstat().st_size for path in folder.rglob("*")) / 1e6
