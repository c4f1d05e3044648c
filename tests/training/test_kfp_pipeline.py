"""The pipeline for Kubeflow is the plan, and gives what the plan gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from predictor.checkpoint import WEIGHTS_FILE
from tests.serving.server_process import REPOSITORY
from tests.training.kfp_environment import python_with_kfp
from tests.training.tiny_data import QUICK, workshop
from training.kfp_pipeline import MOUNTED_DATA, until
from training.recipe import Recipe
from training.steps.plan import PLAN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return python_with_kfp(tmp_path_factory.mktemp("kfp"))


def kfp_pipeline(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [python, "-m", "training.kfp_pipeline", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def compiled(python: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The documents of the compiled pipeline: its plan, then what Kubernetes needs."""
    file = tmp_path_factory.mktemp("compiled") / "pipeline.yaml"
    done = kfp_pipeline(python, "compile", "--output", str(file), "--image", "ours.example/training:7")
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(file.read_text()))


def test_its_tasks_and_edges_are_the_plans(compiled: list[dict[str, Any]]) -> None:
    """A task a step, after those that the step needs, with their results as artifacts by their names."""
    tasks = compiled[0]["root"]["dag"]["tasks"]
    assert {name: sorted(task.get("dependentTasks", [])) for name, task in tasks.items()} == {
        step.name: sorted(step.needs) for step in PLAN
    }
    for step in PLAN:
        artifacts = tasks[step.name]["inputs"].get("artifacts", {})
        assert {name: source["taskOutputArtifact"] for name, source in artifacts.items()} == {
            need: {"producerTask": need, "outputArtifactKey": "result"} for need in step.needs
        }


def test_it_asks_for_data_recipe_and_version(compiled: list[dict[str, Any]]) -> None:
    """Every step gets the recipe; the version reaches those whose result carries it, data those that read files."""
    root = compiled[0]["root"]
    assert set(root["inputDefinitions"]["parameters"]) == {"data", "recipe", "version"}
    for step in PLAN:
        given = root["dag"]["tasks"][step.name]["inputs"]["parameters"]
        from_run = {name for name, source in given.items() if "componentInputParameter" in source}
        expected = {"recipe"} | ({"version"} if step.versioned else set())
        assert from_run == expected | ({"data"} if step.files else set()), step.name


def test_its_pods_run_our_image_as_nobody(compiled: list[dict[str, Any]]) -> None:
    """Every component runs the image as it is, without root; those that read files have the data mounted, uncached."""
    spec, platform = compiled
    executors = spec["deploymentSpec"]["executors"]
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for step in PLAN:
        container = executors[f"exec-{step.name}"]["container"]
        assert container["image"] == "ours.example/training:7"
        assert "pip install" not in " ".join(container["command"])
        pod = pods[f"exec-{step.name}"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        mounts = [mount["mountPath"] for mount in pod.get("pvcMount", [])]
        assert mounts == ([MOUNTED_DATA] if step.files else [])
        caching = spec["root"]["dag"]["tasks"][step.name]["cachingOptions"]
        assert caching == ({} if step.files else {"enableCache": True})


def differing(recipe: Recipe) -> list[str]:
    """A recipe as options of the command line."""
    plain = Recipe().as_dict()
    differing = {name: value for name, value in recipe.as_dict().items() if value != plain[name]}
    return [word for name, value in differing.items() for word in ("--set", f"{name}={value}")]


def test_the_local_run_gives_the_weights_of_the_plan(
    python: str, data: Path, work: Path, trained: Path, tmp_path: Path
) -> None:
    """KFP's local runner makes the model and its background byte for byte as the cached steps do."""
    arguments = ["--data", str(data), "--work", str(tmp_path), "--version", "7", "--until", "background"]
    done = kfp_pipeline(python, "run-local", *arguments, *differing(QUICK))
    assert done.returncode == 0, done.stdout + done.stderr
    made = Path(done.stdout.splitlines()[-1])
    assert {folder.name for folder in made.iterdir()} == {step.name for step in until(["background"])}
    background = workshop(data, work).make("background")
    for step, folder in (("calibrate", trained), ("background", background)):
        for file in folder.iterdir():
            assert (made / step / "result" / file.name).read_bytes() == file.read_bytes(), file.name
    assert WEIGHTS_FILE in {file.name for file in background.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run-local", "--set", "lexical_rate"), "--set lexical_rate: expected NAME=NUMBER"),
        (("run-local", "--set", "speed=3"), "--set: 'speed' is no number of the recipe"),
        (("run-local", "--set", "seed=0.5"), "--set: seed: expected int, got 0.5"),
        (
            ("compile", "--output", "pipeline.txt"),
            "expected a file name that ends in .yaml, got pipeline.txt",
        ),
        (
            ("compile", "--output", "/nowhere/pipeline.yaml"),
            "/nowhere/pipeline.yaml: No such file or directory",
        ),
    ],
)
def test_a_wrong_command_line_is_one_line(python: str, arguments: tuple[str, ...], message: str) -> None:
    """What was given and what was expected, status 1, no traceback."""
    done = kfp_pipeline(python, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_step_that_refuses_ends_the_run(python: str, tmp_path: Path) -> None:
    """Without data files the first step's refusal is shown, and the status is 1."""
    absent = str(tmp_path / "absent")
    done = kfp_pipeline(python, "run-local", "--data", absent, "--work", str(tmp_path / "work"))
    assert done.returncode == 1
    assert absent in done.stdout
    assert "load" in done.stderr.splitlines()[-1]


def test_without_kfp_the_command_says_what_to_install() -> None:
    """The help needs no KFP; a command does, and says so."""
    command = [sys.executable, "-I", "-m", "venv", "--help"]
    assert subprocess.run(command, check=True, capture_output=True)
