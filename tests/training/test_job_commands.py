"""The command lines of training's manifests do what they are there for, run as their pods would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference_services.manifests.render import TRAINING, RenderFailed, render
from inference_services.processes import free_ports
from tests.inference_services.manifests.objects import find
from tests.serving.server_process import REPOSITORY
from tests.training.tiny_data import QUICK, toml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TMP = "/tmp"  # noqa: S108 - a pod's own
RECIPE = replace(QUICK, lexical_epochs=0.3, evidence_steps=10)


def objects(folder: str) -> list[dict[str, Any]]:
    try:
        return render(TRAINING / folder)
    except RenderFailed as failure:
        pytest.skip(str(failure))


def started(container: dict[str, Any], volumes: dict[str, Path], **variables: str) -> subprocess.Popen[str]:
    """A container's process, its volumes at places of this machine, its interpreter this one."""
    command = [*container["command"], *container["args"]]
    for name, value in variables.items():
        command = [word.replace(f"$({name})", value) for word in command]
    mounted = re.compile(rf"(^|=)({'|'.join(volumes)})(?=/|$)")
    command = [mounted.sub(lambda found: f"{found[1]}{volumes[found[2]]}", word) for word in command]
    command[0] = sys.executable
    environment = {**os.environ, **variables, "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True)


def output_of(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate()
    assert process.returncode == 0
    return output


@pytest.fixture(scope="module")
def volumes(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What is mounted where; the work volume holds what the job `features` makes."""
    found = {"/data": data, "/work": tmp_path_factory.mktemp("work"), TMP: tmp_path_factory.mktemp("tmp")}
    job = find(objects("features"), "Job", "dns-risk-featurize")
    container = job["spec"]["template"]["spec"]["containers"][0]
    output_of(started({**container, "args": quick(container, found)}, found))
    assert (found["/work"] / "features" / "samples.npz").exists()
    return found


def quick(container: dict[str, Any], volumes: dict[str, Path]) -> list[str]:
    """A container's arguments, with a recipe that takes seconds."""
    (volumes[TMP] / "recipe.toml").write_text(toml(RECIPE))
    return [*container["args"], f"--recipe={TMP}/recipe.toml"]


def test_two_pods_fit_one_model(volumes: dict[str, Path]) -> None:
    """With the variables that the Training Operator sets, master and worker meet, and the master writes."""
    job = find(objects("distributed"), "PyTorchJob", "dns-risk-fit")
    port = str(free_ports(1)[0])
    set_by_operator = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    pods = []
    for rank, role in enumerate(("Master", "Worker")):
        container = job["spec"]["pytorchReplicaSpecs"][role]["template"]["spec"]["containers"][0]
        arguments = {**container, "args": quick(container, volumes)}
        pods.append(started(arguments, volumes, RANK=str(rank), **set_by_operator))
    try:
        printed = [output_of(pod) for pod in pods]
    finally:
        for pod in pods:
            pod.kill()
    assert "validation_names_auc=" in printed[0]
    assert "validation_names_auc=" not in printed[1]
    assert (volumes["/work"] / "fitted" / "fitted.safetensors").exists()


def test_a_trial_prints_what_katib_looks_for(volumes: dict[str, Path]) -> None:
    """With the least of every searched number: each of the search's metrics is found by its filter, once."""
    spec = find(objects("tuning"), "Experiment", "dns-risk-recipe")["spec"]
    template = spec["trialTemplate"]
    least = {parameter["name"]: parameter["feasibleSpace"]["min"] for parameter in spec["parameters"]}
    given = {p["name"]: least[p["reference"]] for p in template["trialParameters"]}
    container = template["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    arguments = [
        re.sub(r"\$\{trialParameters\.(\w+)\}", lambda found: given[found[1]], word)
        for word in quick(container, volumes)
    ]
    printed = output_of(started({**container, "args": arguments}, volumes))
    (filtered,) = spec["metricsCollectorSpec"]["source"]["filter"]["metricsFormat"]
    names = [name for name, _ in re.findall(filtered, printed)]
    objective = spec["objective"]
    for wanted in (objective["objectiveMetricName"], *objective["additionalMetricNames"]):
        assert names.count(wanted) == 1, wanted
