"""The service processes of one InferenceService: what KServe would run as pods."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference_services.machine import environment_of
from inference_services.processes import HOST, Service, free_ports
from tests.canary_demo.versions import Version
from tests.serving.server_process import REPOSITORY

# One core for each model: two versions share this machine with everything else.
COMMON = {"host": HOST, "log_level": "ERROR", "drain_delay_s": 1, "grace_s": 20}


@dataclass
class Pods:
    """A predictor and its transformer."""

    isvc: str
    version: Version
    predictor: Service
    transformer: Service
    transformer_grpc_port: int

    @classmethod
    def start(cls, isvc: str, version: Version, graph_store: Path) -> Pods:
        """Start both; they are not ready yet."""
        ports = free_ports(4)
        model = {"model_dir": version.directory, "torch_threads": 1}
        module = "tests.canary_demo.worse_predictor" if version.fault else "predictor"
        log = graph_store.parent / f"{isvc}-{version.version}.log"
        fault = {"CANARY_FAULT": version.fault}
        predictor = _start("predictor", module, ports[:2], model, fault, log)
        asks = {"predictor_host": f"{HOST}:{ports[1]}", "graph_store": graph_store}
        transformer = _start("transformer", "transformer", ports[2:], asks, {}, log)
        return cls(isvc, version, predictor, transformer, ports[3])

    def ready(self) -> bool:
        """Whether both answer.

        Raises:
            ServiceFailed: one has ended.
        """
        states = [self.predictor.ready(), self.transformer.ready()]
        return all(states)

    def alive(self) -> bool:
        """Whether both run."""
        return not self.predictor.ended and not self.transformer.ended

    def addresses(self) -> dict[tuple[str, int], str]:
        """Where the Services of these pods lead, by name and port; there is no explainer here."""
        name = f"{self.isvc}-transformer"
        return {
            (name, 80): f"{HOST}:{self.transformer.rest_port}",
            (name, 8081): f"{HOST}:{self.transformer_grpc_port}",
        }

    def targets(self) -> dict[str, dict[str, str]]:
        """What Prometheus scrapes, with the labels that the PodMonitor gives."""
        return {
            f"{HOST}:{service.rest_port}": {
                "isvc": self.isvc,
                "component": service.name,
                "pod": f"{self.isvc}-{service.name}-{service.process.pid}",
            }
            for service in (self.predictor, self.transformer)
        }

    def stop(self) -> None:
        """Drain and end both, the one that asks first."""
        self.transformer.stop()
        self.predictor.stop()


def _start(
    name: str,
    module: str,
    ports: Sequence[int],
    settings: Mapping[str, object],
    more: Mapping[str, str],
    log: Path,
) -> Service:
    own = {f"DNS_RISK_{key.upper()}": str(value) for key, value in {**COMMON, **settings}.items()}
    environment = environment_of(name, os.environ) | own | more
    command = [sys.executable, "-m", module, f"--http_port={ports[0]}", f"--grpc_port={ports[1]}"]
    # A version that fails says so at length, which is for who looks for the reason.
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, start_new_session=True, stdout=out, stderr=out
        )
    return Service(name, ports[0], process)
