"""Another server answers in the predictor's place: late, with garbage, or of another release."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

from load_tests.waiting import poll
from tests.chaos.models import of_other_schema
from tests.chaos.scene import Scene
from tests.scripted_predictor import FLAWS
from tests.services import SHIPPED_MODEL
from tests.serving.server_process import HOST, ServerProcess

# Every way to answer with something that is no score.
GARBAGE = (*(f"answer:{flaw}" for flaw in FLAWS), "status:UNKNOWN", "status:INTERNAL")


def put_in_place(name: str) -> Callable[[Scene], None]:
    """The fault: traffic goes to a stand-in for a while, then back."""

    def inject(scene: Scene) -> None:
        proxy, stand_in = scene.system.proxy, scene.stand_ins[name]
        assert proxy is not None
        poll(lambda: _listens(stand_in), limit_s=60)
        proxy.use("predictor", [(stand_in.rest_port, stand_in.grpc_port)])
        time.sleep(scene.frozen_s)
        proxy.use_all_but("predictor")
        assert stand_in.process.poll() is None, stand_in.log()

    return inject


def _listens(process: ServerProcess) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, process.grpc_port)) == 0


def start_stand_ins(folder: Path) -> dict[str, ServerProcess]:
    """Those of every kind; two of them need seconds until they listen."""
    real = {"device": "cpu", "torch_threads": "1", "log_level": "ERROR"}
    other = {"model_dir": str(of_other_schema(folder / "other-schema"))}
    slow = {"CANARY_FAULT": "slow"}
    model = {"model_dir": str(SHIPPED_MODEL)}
    return {
        "slow": ServerProcess(("tests.canary_demo.worse_predictor",), real | model, None, slow),
        "garbage": ServerProcess(("tests.scripted_predictor", str(folder), *GARBAGE)),
        "schema": ServerProcess(("tests.chaos.other_schema_predictor",), real | other),
    }
