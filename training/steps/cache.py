"""Results of steps by the fingerprint of all they depend on: what is there is not made again."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from training.data import UnusableData, sha256
from training.recipe import Recipe
from training.steps.sources import digest
from training.steps.step import Inputs, Step

logger = logging.getLogger(__name__)


@dataclass
class Workshop:
    """Where steps run and their results are kept.

    Fields:
        data    folder of the data files
        root    folder of results: root/step/fingerprint
    """

    data: Path
    root: Path
    recipe: Recipe
    version: str
    steps: Mapping[str, Step]
    _fingerprints: dict[str, str] = field(default_factory=dict)

    def fingerprint(self, name: str) -> str:
        """16 hex digits of SHA-256 over a step's code, recipe, data files and needed results."""
        if name not in self._fingerprints:
            step = self.steps[name]
            parts = {
                "step": name,
                "code": digest(step.run.__module__),
                "recipe": self.recipe.as_dict(),
                "files": {file: sha256(path) for file, path in data_files(step, self.data).items()},
                "version": self.version if step.versioned else "",
                "needs": [self.fingerprint(need) for need in step.needs],
            }
            canonical = json.dumps(parts, sort_keys=True).encode()
            self._fingerprints[name] = hashlib.sha256(canonical).hexdigest()[:16]
        return self._fingerprints[name]

    def folder(self, name: str) -> Path:
        """Where the result of a step lies or will lie."""
        return self.root / name / self.fingerprint(name)

    def make(self, name: str) -> Path:
        """The folder of a step's result, made now unless it is there, with all that it needs.

        Raises:
            UnusableData: a data file is missing or refused; whatever else the step refuses with.
        """
        folder = self.folder(name)
        if folder.exists():
            logger.info("%s: %s is there", name, folder)
            return folder
        step = self.steps[name]
        needed = {need: self.make(need) for need in step.needs}
        folder.parent.mkdir(parents=True, exist_ok=True)
        with held(folder.with_suffix(".lock")):
            if not folder.exists():
                partial = folder.with_suffix(".partial")
                partial.mkdir(exist_ok=True)
                run_whole(step, Inputs(self.data, self.recipe, self.version, needed, partial), folder)
                shutil.rmtree(partial)
        return folder


@contextmanager
def held(lock: Path) -> Iterator[None]:
    """One process at a time is inside; a process that ends, however it ends, holds nothing."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("%s: another process makes it, waiting", lock.with_suffix(""))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def data_files(step: Step, data: Path) -> dict[str, Path]:
    """The data files that a step reads, by name: all it must have, and of the others those that are there.

    Raises:
        UnusableData: one that it must have is missing.
    """
    missing = [file for file in step.files if not (data / file).exists()]
    if missing:
        raise UnusableData(f"{data}: step {step.name!r} needs {', '.join(missing)}, not there")
    wanted = (*step.files, *step.optional_files)
    return {file: data / file for file in wanted if (data / file).exists()}


def run_whole(step: Step, inputs: Inputs, output: Path) -> None:
    """Run a step; its folder appears whole or not at all, also when the process is killed."""
    logger.info("%s: running", step.name)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as folder:
        made = Path(folder) / "made"
        made.mkdir()
        step.run(inputs, made)
        made.rename(output)
