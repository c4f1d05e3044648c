"""`make run`: starts the services, says where they are, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.checkpoints import write_checkpoint
from tests.end_to_end.local_run import COMMAND, local_run
from tests.services import SHIPPED_MODEL
from tests.serving.server_process import HOST, REPOSITORY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("model") / "1"
    write_checkpoint(directory)
    return directory


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph store that the first start of this module fills."""
    return tmp_path_factory.mktemp("store")


def refused(model_dir: Path, store: Path, **environment: str) -> str:
    """The one line on standard error of a start that fails."""
    with local_run(model_dir, store, ready=False, **environment) as run:
        status = run.process.wait(90)
        errors = run.errors().splitlines()
    assert status == 1
    assert len(errors) == 1, errors
    return errors[0]


def all_gone(pids: dict[str, int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids.values())


def test_make_run_is_this_command() -> None:
    """What these tests start is what `make run` starts."""
    dry_run = ["make", "--dry-run", "--no-print-directory", "run"]
    plan = subprocess.run(dry_run, cwd=REPOSITORY, capture_output=True, check=True)
    assert plan.stdout.decode().splitlines()[-1].split()[1:] == list(COMMAND)


def test_first_start_says_one_line_whose_request_works(model_dir: Path, store: Path) -> None:
    """A first start fills the store, prints one ready line, and the request in it is answered."""
    with local_run(model_dir, store) as run:
        ready = [line for line in run.output().splitlines() if "is ready" in line]
        assert len(ready) == 1
        assert run.rest in ready[0]
        assert run.grpc in ready[0]
        request = re.search(r"Try: (.*)$", ready[0])
        assert request
        answer = subprocess.run(["bash", "-c", request[1]], capture_output=True, check=True)
        names = [output["name"] for output in json.loads(answer.stdout)["outputs"]]
        assert names[0] == "risk_score"
    assert (store / "CURRENT").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_start_takes_seconds_and_stops_cleanly(
    model_dir: Path, store: Path, number: signal.Signals
) -> None:
    """With the store filled it only starts; Ctrl-C, SIGTERM and a closed terminal end all, status 0."""
    began = time.monotonic()
    with local_run(model_dir, store) as run:
        assert time.monotonic() - began < 30
        assert len(run.output().splitlines()) == 1
        children = run.children()
        assert children.keys() == {"predictor", "transformer"}
        assert run.stop(number) == 0
        assert all_gone(children)
        assert run.errors() == ""


def test_a_second_ctrl_c_ends_the_services_at_once(model_dir: Path, store: Path) -> None:
    """Who is impatient presses Ctrl-C again; still nothing stays behind."""
    with local_run(model_dir, store, DNS_RISK_DRAIN_DELAY_S="60") as run:
        children = run.children()
        run.process.send_signal(signal.SIGINT)
        end_s = time.monotonic() + 20
        while run.process.poll() is None:
            assert time.monotonic() < end_s
            run.process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        assert all_gone(children)


def test_settings_of_one_service_reach_only_that_one(model_dir: Path, store: Path) -> None:
    """A service refuses a variable that it does not know, so each is given its own."""
    settings = {"MONITOR_THRESHOLD": "0", "BLOCK_THRESHOLD": "0", "MAX_BATCH_GRAPHS": "7", "SHARED": "x"}
    with local_run(
        model_dir, store, **{f"DNS_RISK_{name}": value for name, value in settings.items()}
    ) as run:
        body = {"instances": [{"domain": "never-seen.com"}]}
        answer = httpx.post(f"http://{run.rest}/v1/models/dns-risk:predict", json=body).raise_for_status()
        assert answer.json()["predictions"][0]["action"] == "block"


def test_explanations_come_with_a_background(store: Path) -> None:
    """The shipped model has one: the explainer starts, is named in the line, and ends with the others."""
    with local_run(SHIPPED_MODEL, store) as run:
        assert f"explanations http://{run.explainer}" in run.output()
        body = {"instances": [{"domain": "example.com"}]}
        answer = httpx.post(f"http://{run.explainer}/v1/models/dns-risk:explain", json=body, timeout=30)
        assert answer.json()["explanations"][0]["domain"] == "example.com"
        children = run.children()
        os.kill(children["explainer"], signal.SIGKILL)
        assert run.process.wait(60) == 1
        assert "the explainer ended with status -9" in run.errors()
        assert all_gone(children)


def test_a_model_without_background_is_served_all_the_same(model_dir: Path, store: Path) -> None:
    """Scores need no explainer; the line says what is missing."""
    with local_run(model_dir, store) as run:
        assert f"no explanations: {model_dir} has no explainer.json" in run.output()


def test_port_in_use(model_dir: Path, store: Path) -> None:
    """A taken port is named with the variable that changes it, before anything starts."""
    with socket.create_server((HOST, 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refused(model_dir, store, PREDICTOR_GRPC_PORT=port)
    assert line == f"port in use: {port} (PREDICTOR_GRPC_PORT); set the variable to a free port"


def test_port_that_is_none(model_dir: Path, store: Path) -> None:
    """An impossible setting is named."""
    assert refused(model_dir, store, PREDICTOR_GRPC_PORT="many").startswith("PREDICTOR_GRPC_PORT=many: ")


def test_unknown_setting(model_dir: Path, store: Path) -> None:
    """A misspelt setting is not ignored; every service may say so."""
    with local_run(model_dir, store, ready=False, DNS_RISK_BLOCK_TRESHOLD="1") as run:
        assert run.process.wait(90) == 1
        assert "did you mean DNS_RISK_BLOCK_THRESHOLD?" in run.errors()


def test_missing_checkpoint(tmp_path: Path, store: Path) -> None:
    """Without a model one line says how to get one, and no other service stays behind."""
    line = refused(tmp_path / "none", store)
    assert "config.json: No such file or directory" in line
    assert "make train" in line


def test_checkpoint_of_another_feature_schema(tmp_path: Path, model_dir: Path, store: Path) -> None:
    """A model trained on other features is refused at the start."""
    shutil.copytree(model_dir, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"feature_schema": "0123456789abcdef"}))
    line = refused(tmp_path, store)
    assert "0123456789abcdef" in line
    assert "make train" in line


@pytest.mark.parametrize("module", ["predictor", "transformer"])
def test_a_service_that_dies_takes_the_other_with_it(model_dir: Path, store: Path, module: str) -> None:
    """When one is killed, the run says which, stops the other, and fails."""
    with local_run(model_dir, store) as run:
        children = run.children()
        os.kill(children[module], signal.SIGKILL)
        assert run.process.wait(60) == 1
        assert f"the {module} ended with status -9" in run.errors()
        assert all_gone(children)
