"""Results of steps are made once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from training.recipe import Recipe
from training.steps.cache import Workshop
from training.steps.step import Inputs, Step


class Refused(Exception):
    """What a step refuses with."""


def slow(inputs: Inputs, output: Path) -> None:
    with (inputs.data / "runs").open("a") as runs:
        runs.write("run\n")
    time.sleep(0.3)
    (output / "result").write_text("made")


def refusing(inputs: Inputs, _output: Path) -> None:
    (inputs.partial / "checkpoint").write_text("so far")
    raise Refused


def workshop(folder: Path, step: Step) -> Workshop:
    return Workshop(folder, folder / "work", Recipe(), "1", {step.name: step})


def test_who_asks_for_what_another_makes_waits_for_it(tmp_path: Path) -> None:
    """Two at once run the step once, and both get its result whole."""
    with ThreadPoolExecutor(2) as callers:
        made = list(callers.map(lambda _: workshop(tmp_path, Step("slow", slow)).make("slow"), range(2)))
    assert made[0] == made[1]
    assert [path.name for path in made[0].iterdir()] == ["result"]
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_step_that_failed_is_tried_again_from_its_checkpoints(tmp_path: Path) -> None:
    """Nothing of it is taken for a result, it holds nobody up, and what it kept on the way is still there."""
    shop = workshop(tmp_path, Step("refusing", refusing))
    for _ in range(2):
        with pytest.raises(Refused):
            shop.make("refusing")
    folder = shop.folder("refusing")
    assert not folder.exists()
    assert (folder.with_suffix(".partial") / "checkpoint").read_text() == "so far"
