"""Services that stop, die and freeze; a model that is replaced."""

from __future__ import annotations

import signal
import time

from load_tests.waiting import poll
from tests.chaos.scene import Scene
from tests.chaos.system import DRAIN_DELAY_S

# Endpoints and proxies notice later than the server that stops.
_NOTICED_AFTER_S = DRAIN_DELAY_S / 6


def kill_predictor(scene: Scene) -> None:
    """As the kernel does when memory is short; it comes back on its own ports."""
    system = scene.system
    system.predictors[0].process.kill()
    system.predictors[0].wait()
    time.sleep(scene.frozen_s / 2)
    system.predictors[0] = system.start_predictor()
    system.predictors[0].wait_until_ready()


def kill_transformer(scene: Scene) -> None:
    """The same in front: only its callers can ask again."""
    system = scene.system
    system.transformers[0].process.kill()
    system.transformers[0].wait()
    system.transformers[0] = system.start_transformer()
    live = system.transformers[0]
    poll(lambda: live.status_of("/v2/health/live") == 200, limit_s=60)


def freeze_predictor(scene: Scene) -> None:
    """It accepts and does not answer."""
    predictor = scene.system.predictors[0]
    predictor.signal(signal.SIGSTOP)
    time.sleep(scene.frozen_s)
    predictor.signal(signal.SIGCONT)


def restart_transformers(scene: Scene) -> None:
    """One after the other, as a Deployment does."""
    for place in range(len(scene.system.transformers)):
        _replace(scene, "transformer", place)


def restart_predictors(scene: Scene) -> None:
    """One after the other, behind the proxy that the transformers ask."""
    for place in range(len(scene.system.predictors)):
        _replace(scene, "predictor", place)


def swap_model(scene: Scene) -> None:
    """Another version behind the transformers, one predictor at a time: both answer meanwhile."""
    scene.system.model_dir = scene.other.model_dir
    scene.swap_begins()
    restart_predictors(scene)
    scene.swap_ends()


def _replace(scene: Scene, service: str, place: int) -> None:
    """SIGTERM, then out of the proxy, then gone; a new one gets traffic when it is ready."""
    system = scene.system
    assert system.proxy is not None
    running = system.predictors if service == "predictor" else system.transformers
    told_s = time.monotonic()
    running[place].signal(signal.SIGTERM)
    time.sleep(_NOTICED_AFTER_S)
    system.proxy.use_all_but(service, place)
    # Who still sends to a server that has closed is to blame himself: the delay is a promise to proxies.
    took_s = time.monotonic() - told_s
    assert took_s < DRAIN_DELAY_S, f"too busy a machine: the proxy left a {service} only after {took_s:.1f} s"
    status = running[place].wait(40)
    assert status == 0, f"a {service} that was told to stop ended with status {status}"
    start = system.start_predictor if service == "predictor" else system.start_transformer
    running[place] = start(place)
    running[place].wait_until_ready()
    system.proxy.use_all_but(service)
