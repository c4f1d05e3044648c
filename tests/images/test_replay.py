"""The images' builder stages, replayed; and the services, run from them as the manifest says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from inference_services.manifests.pods import serving_pods
from inference_services.manifests.render import OVERLAYS, RenderFailed, render
from tests.images.dockerfile import Replay, distributions, size_mb
from tests.images.pods import HUB, Pod, hub, hub_run, pod
from tests.images.test_dockerfiles import FOLDERS
from tests.polling import until
from tests.services import SHIPPED_MODEL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# Another user must be able to read it, so not one from a home.
SYSTEM_PYTHON = "/usr/bin/python3.11"
ADDRESSES = {"predictor": "10.77.0.11", "transformer": "10.77.0.12", "explainer": "10.77.0.13"}
# What no image of the kind may hold: an attacker's tools, or a hundred megabytes of nothing.
LARGEST_MB = {"predictor": 1600, "transformer": 500, "explainer": 1800, "rollout": 400, "training": 2800}
FOREIGN = {
    "predictor": {"alibi", "shap", "ray", "pip", "pytest"},
    "transformer": {"torch", "torch-geometric", "alibi", "shap", "ray", "pip", "pytest"},
    "explainer": {"torch", "torch-geometric", "pip", "pytest"},
    "rollout": {"torch", "kserve", "alibi", "pip", "pytest"},
    "training": {"locust", "pip", "pytest"},
}


def replayed(folders: pytest.TempPathFactory, image: str) -> Replay:
    """One image's builder stage, done."""
    # The index of torch's CPU wheels is where this machine's pip is set up to look.
    arguments = {"DEVICE": "cpu", "TORCH_INDEX": ""}
    replay = Replay(image, folders.mktemp(image), SYSTEM_PYTHON, arguments)
    replay.run()
    return replay


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Replay]:
    """Every image's builder stage, done."""
    if not Path(SYSTEM_PYTHON).exists():
        pytest.skip(f"needs {SYSTEM_PYTHON}, which every user can read")
    with ThreadPoolExecutor(2) as pool:
        replays = dict(zip(FOREIGN, pool.map(partial(replayed, tmp_path_factory), FOREIGN), strict=True))
    for folder in (tmp_path_factory.getbasetemp(), *(replay.root for replay in replays.values())):
        folder.chmod(0o755)
    return replays


@pytest.mark.parametrize("image", sorted(FOREIGN))
def test_an_image_holds_its_own_and_nothing_else(images: dict[str, Replay], image: str) -> None:
    """No torch beside the transformer, no Alibi beside the predictor, no pip anywhere, none of our other packages."""
    environment = images[image].environment
    installed = set(distributions(environment))
    assert "dns-risk" in installed
    assert not installed & FOREIGN[image]
    site = environment / "lib" / "python3.11" / "site-packages"
    ours = set().union(*FOLDERS.values(), {"load_tests", "resolver", "tests"})
    assert {path.name for path in site.iterdir()} & ours == FOLDERS[image]
    # What docs/images.md says of sizes.
    assert size_mb(environment) < LARGEST_MB[image]


@pytest.mark.parametrize("image", sorted(FOREIGN))
def test_its_process_starts_to_speak(images: dict[str, Replay], image: str, tmp_path: Path) -> None:
    """From nowhere near the repository it reads its arguments, and refuses the one that there is not."""
    command = [images[image].environment / "bin" / "python", "-m", image, "--no_such_flag"]
    environment = {"HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    assert re.search(r"unknown flags: --no_such_flag|usage: ", done.stderr), done.stderr


@pytest.fixture(scope="module")
def running(images: dict[str, Replay], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pod]]:
    """Overlay local-cluster as pods."""
    missing = [tool for tool in ("ip", "bwrap", "setpriv", "curl") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root, to make networks, and {missing or 'nothing else'}")
    try:
        manifests = render(OVERLAYS / "local-cluster")
    except RenderFailed as failure:
        pytest.skip(str(failure))
    hosts = {
        f"dns-risk-{component}-pods.dns-risk": address
        for component, address in ADDRESSES.items()
        if component != "explainer"
    }
    # A model that another user can read.
    model = tmp_path_factory.mktemp("model") / "1"
    shutil.copytree(SHIPPED_MODEL, model)
    model.parent.chmod(0o755)
    with ExitStack() as stack:
        stack.enter_context(hub())
        yield {
            pods.component: stack.enter_context(
                pod(pods, ADDRESSES[pods.component], images[pods.component].root, hosts, model)
            )
            for pods in serving_pods(manifests)
        }


def post(url: str, body: object) -> dict[str, object]:
    done = hub_run("curl", "-s", "-m", "20", url, "-d", json.dumps(body))
    return dict(json.loads(done.stdout))


def test_pods_become_ready_and_answer_as_their_manifest_says(running: dict[str, Pod]) -> None:
    """Every probe of every pod, then a score and why, over the names and ports of the manifest."""
    for component, found in running.items():
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            until(partial(found.probe, kind), f"{kind} of the {component}", 90)
    body = {"inputs": [{"name": "domain", "datatype": "BYTES", "shape": [1], "data": ["www.wikipedia.org"]}]}
    scored = post(f"http://{ADDRESSES['transformer']}:8080/v2/models/dns-risk/infer", body)
    outputs = {output["name"]: output["data"] for output in scored["outputs"]}  # type: ignore[attr-defined]
    assert outputs["status"] == ["ok"]
    assert 0 <= outputs["risk_score"][0] <= 1
    asked = {"instances": [{"domain": "www.wikipedia.org"}]}
    explained = post(f"http://{ADDRESSES['explainer']}:8080/v1/models/dns-risk:explain", asked)
    assert explained["explanations"][0]["status"] == "ok"  # type: ignore[index]


def test_pods_are_who_the_manifest_says(running: dict[str, Pod]) -> None:
    """The service runs under the user's number; only the sandbox around it is root."""
    for found in running.values():
        until(lambda pod=found: "65532" in users(pod), "the user's number", 30)  # type: ignore[misc]


def users(found: Pod) -> set[str]:
    """Whose the processes in a pod's network are."""
    space = f"dnsrisk-{found.pods.component}"
    pids = subprocess.run(
        ["ip", "netns", "pids", space], capture_output=True, text=True, check=True
    ).stdout.split()
    status = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return {line.split()[1] for text in status for line in text.splitlines() if line.startswith("Uid:")}


def inside(found: Pod) -> bool:
    """Whether the service works on a request."""
    exported = hub_run("curl", "-s", f"http://{found.address}:8080/metrics").stdout
    return 'dns_risk_in_flight{protocol="rest"} 1.0' in exported


def test_a_pod_drains_inside_its_grace_period(running: dict[str, Pod]) -> None:
    """SIGTERM with a request inside: the request is answered, the process ends with 0, in time."""
    for component in ("explainer", "transformer", "predictor"):
        found = running[component]
        grace_s = float(found.pods.spec["terminationGracePeriodSeconds"])
        started = time.monotonic()
        client = None
        if component == "explainer":
            url = f"http://{found.address}:8080/v1/models/dns-risk:explain"
            body = json.dumps(
                {"instances": [{"domain": "www.wikipedia.org"}], "parameters": {"method": "anchor"}}
            )
            command = [
                "ip",
                "netns",
                "exec",
                HUB,
                "curl",
                "-s",
                "-m",
                "30",
                "-w",
                "%{http_code}",
                url,
                "-d",
                body,
            ]
            client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            until(partial(inside, found), "the request is inside")
        found.terminate()
        assert found.process.wait(grace_s) == 0
        assert time.monotonic() - started < grace_s
        if client is not None:
            answer, _ = client.communicate(timeout=30)
            assert answer.endswith("200")
