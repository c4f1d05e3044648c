"""What a step is: a function from folders to a folder, and what its result depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a step may read.

    Fields:
        data     folder of the data files; only those that the step names are its inputs
        version  of the model, for the steps whose result carries it
        folders  output folders of the steps it needs, by their names
        partial  folder that outlives a killed run, for checkpoints of long work
    """

    data: Path
    recipe: Recipe
    version: str
    folders: Mapping[str, Path]
    partial: Path


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the pipeline.

    Fields:
        run     writes the result into an empty folder; the same inputs give the same result
        needs   the steps whose folders it reads
        files   the data files it reads
        optional_files  data files it reads where they are there
        versioned       whether the result carries the model version
    """

    name: str
    run: Callable[[Inputs, Path], None]
    needs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    optional_files: tuple[str, ...] = ()
    versioned: bool = False
