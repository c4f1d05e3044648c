"""Rollouts against an API in another process and a real Prometheus, by the command line as people use it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rollout.__main__ import main
from rollout.cluster import Overtaken
from rollout.state import Phase
from tests.polling import until
from tests.rollout.conftest import World
from tests.serving.server_process import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
URI = "s3://models/dns-risk/3"


@contextmanager
def traffic(*answer: Callable[[], Any]) -> Iterator[None]:
    """Requests on both versions while the block runs."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.05):
            for call in answer:
                call()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def watch(world: World) -> Iterator[subprocess.Popen[str]]:
    """The controller as a process; killed at the end if it has not ended."""
    command = [sys.executable, "-m", "rollout", *world.arguments("watch", "--interval", "0.3")]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def begin(world: World, *more: str) -> None:
    """A canary that has been set up and is ready."""
    assert main(world.arguments("start", "--model-uri", URI, *more)) == 0
    world.set_ready("dns-risk")
    world.set_ready("dns-risk-canary")
    world.seen()


def told(world: World, station: Phase) -> bool:
    """Whether the rollout is there, and the cluster is as that wants it."""
    found = world.controller().state()
    return found is not None and found.phase is station and found.applied


def phase(world: World) -> Phase | None:
    found = world.controller().state()
    return found.phase if found else None


def test_a_good_canary_becomes_the_stable_version(world: World) -> None:
    """Through its steps, killed once in between, with a report, a picture and Events at the end."""
    begin(world)
    assert (world.weights(), world.stopped()) == ([0, 0, 0], False)
    both = (lambda: world.stable.answer(5), lambda: world.canary.answer(5))
    with traffic(*both), watch(world):
        until(lambda: 50 in world.weights(), "the first step")
    with traffic(*both), watch(world) as second:
        until(lambda: told(world, Phase.PROMOTING), "every step has passed", 60)
        assert (
            world.api.get("InferenceService", "dns-risk")["spec"]["predictor"]["model"]["storageUri"] == URI
        )
        assert world.weights() == [100, 100, 100]
        world.upgrade()
        world.set_ready("dns-risk")
        output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output
    assert (world.weights(), world.stopped()) == ([0, 0, 0], True)
    report = json.loads(next(world.reports.glob("*.json")).read_text())
    assert [record["percent"] for record in report["records"]] == [50, 100]
    assert next(world.reports.glob("*.png")).stat().st_size > 10_000
    events = world.api.core().list_namespaced_event("dns-risk").items
    assert [event.reason for event in events][-2:] == ["RolloutPromoting", "RolloutDone"]


@pytest.mark.parametrize(
    ("worse", "rule"),
    [
        ({"code": "503"}, "error ratio"),
        ({"scores": (0.95, 0.95, 0.4)}, "scores"),
    ],
)
def test_a_worse_canary_is_taken_back(world: World, worse: dict[str, Any], rule: str) -> None:
    """Status 1, all traffic on the stable version, its rule in report and Event."""
    begin(world)
    both = (lambda: world.stable.answer(5), lambda: world.canary.answer(5, **worse))
    with traffic(*both), watch(world) as process:
        output, _ = process.communicate(timeout=90)
    assert process.returncode == 1, output
    assert (world.weights(), world.stopped()) == ([0, 0, 0], True)
    assert f"{rule}: breach" in json.loads(next(world.reports.glob("*.json")).read_text())["reason"]
    last = world.api.core().list_namespaced_event("dns-risk").items[-1]
    assert last.type == "Warning"
    assert rule in last.message


def test_a_canary_that_stops_being_ready_loses_its_traffic(world: World) -> None:
    """Though its numbers were good."""
    begin(world)
    controller = world.controller()
    controller.tick()
    assert world.weights() == [50, 50, 50]
    world.set_ready("dns-risk-canary", ready=False)
    controller.tick()
    assert world.weights() == [0, 0, 0]
    assert "not ready any more" in controller.state().reason


def test_somebody_elses_split_ends_the_rollout(world: World) -> None:
    """One route changed by hand: nobody knows any more what is compared."""
    begin(world)
    controller = world.controller()
    controller.tick()
    rules = world.api.get("HTTPRoute", "dns-risk")["spec"]["rules"]
    for rule in rules:
        rule["backendRefs"][1]["weight"] = 90
    world.api.patch("HTTPRoute", "dns-risk", {"spec": {"rules": rules}})
    controller.tick()
    assert world.weights() == [0, 0, 0]
    assert "somebody else" in controller.state().reason


def test_of_two_controllers_the_slower_stops(world: World) -> None:
    """It has decided from what is not so any more."""
    begin(world)
    slow = world.cluster()
    state, version = slow.read_state()
    assert state is not None
    world.controller().tick()
    with pytest.raises(Overtaken):
        slow.write_state(state.enter(Phase.STEPPING, time.time(), step=1), version)
    assert world.weights() == [50, 50, 50]


def test_dry_run_shows_the_patches_and_sends_none(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even the record."""
    before = world.api.get("InferenceService", "dns-risk-canary")
    assert main(world.arguments("start", "--model-uri", URI, "--dry-run")) == 0
    assert f'"storageUri": "{URI}"' in capsys.readouterr().out
    assert world.api.get("InferenceService", "dns-risk-canary") == before
    assert phase(world) is None


def test_an_abort_is_done_when_the_command_returns(world: World) -> None:
    """With its reason; a second one has nothing to do."""
    begin(world)
    world.controller().tick()
    assert main(world.arguments("abort", "--reason", "wrong model")) == 0
    assert (world.weights(), world.stopped(), phase(world)) == ([0, 0, 0], True, Phase.ABORTED)
    assert main(world.arguments("abort")) == 2


def test_only_one_rollout_at_a_time(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """And none to what is there already, nor by steps that do not rise to 100."""
    begin(world)
    assert main(world.arguments("start", "--model-uri", "s3://models/dns-risk/4")) == 2
    assert "promote or abort it first" in capsys.readouterr().err
    assert main(world.arguments("abort")) == 0
    assert main(world.arguments("start", "--model-uri", "s3://models/dns-risk/2")) == 2
    with pytest.raises(SystemExit):
        main(world.arguments("start", "--model-uri", URI, "--steps", "50,20"))


def test_a_shadow_sees_traffic_and_answers_none(world: World) -> None:
    """Mirror filters in both routes while it runs, weights at 0, none left at the end."""
    begin_shadow = world.arguments("shadow", "--model-uri", URI, "--percent", "30", "--minutes", "0.05")
    assert main(begin_shadow) == 0
    world.set_ready("dns-risk-canary")
    world.seen()
    controller = world.controller()
    controller.tick()
    mirrors = [
        rule.get("filters")
        for kind in ("HTTPRoute", "GRPCRoute")
        for rule in world.api.get(kind, "dns-risk")["spec"]["rules"]
    ]
    assert mirrors[0] is None  # explanations are not mirrored
    assert [m[0]["requestMirror"]["percent"] for m in mirrors[1:]] == [30, 30]
    assert world.weights() == [0, 0, 0]
    with traffic(lambda: world.stable.answer(5), lambda: world.canary.answer(5)):
        until(lambda: controller.tick().phase is Phase.DONE, "the shadow's time is over")
    assert all("filters" not in rule for rule in world.api.get("GRPCRoute", "dns-risk")["spec"]["rules"])
    assert world.api.get("InferenceService", "dns-risk")["spec"]["predictor"]["model"]["storageUri"] != URI
