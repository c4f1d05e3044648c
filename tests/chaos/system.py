"""The services under test: a predictor behind a transformer, or two of each behind a proxy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
from tritonclient.grpc import service_pb2_grpc

from inference_services.processes import free_ports
from load_tests.waiting import poll
from tests.chaos.outcomes import Row, rows_of
from tests.chaos.proxy import Proxy
from tests.chaos.standby import Standbys
from tests.chaos.worlds import World, same
from tests.services import SHIPPED_MODEL
from tests.serving.server_process import HOST, REPOSITORY, ServerProcess
from tests.transformer.score_requests import INFER, columns_of, columns_of_message, document, message

Ports = tuple[int, int]
# Long enough for a proxy to be told that a server goes, also by a busy machine.
DRAIN_DELAY_S = 1.5
ASK_S = 0.02


@dataclass(frozen=True)
class Shape:
    """How a system is set up.

    Fields:
        replicas    of each service
        proxied     nginx stands before each service
        default_s   the services' deadline for who has none
        deadlines   those that callers draw from
        variables   of the services' environment
    """

    replicas: int = 1
    proxied: bool = False
    default_s: float = 1.0
    deadlines: Sequence[float] = (0.5, 1.0, 2.0)
    variables: Mapping[str, str] = field(default_factory=dict)


class System:
    """Processes on fixed ports, so that a restarted one is found where it was."""

    def __init__(
        self,
        shape: Shape,
        folder: Path,
        store: Path,
        standbys: Standbys,
        stack: ExitStack,
        model_dir: Path = SHIPPED_MODEL,
    ) -> None:
        self.shape, self.folder, self.store = shape, folder, store
        folder.mkdir(exist_ok=True)
        self._standbys, self._stack = standbys, stack
        self._ports: dict[str, list[Ports]] = {
            service: [_two_ports() for _ in range(shape.replicas)] for service in ("predictor", "transformer")
        }
        self.proxy = self._proxy() if shape.proxied else None
        entry = self.proxy.ports if self.proxy else None
        self.rest_port, self.grpc_port = (
            (entry["rest"], entry["names"]) if entry else self._ports["transformer"][0]
        )
        self.predictor_port = entry["graphs"] if entry else self._ports["predictor"][0][1]
        self.model_dir = model_dir
        places = range(shape.replicas)
        self.predictors = [self.start_predictor(place) for place in places]
        self.transformers = [self.start_transformer(place) for place in places]

    def _proxy(self) -> Proxy:
        proxy = Proxy(self.folder / "nginx", self._ports["predictor"], self._ports["transformer"])
        self._stack.callback(proxy.stop)
        return proxy

    def predictor_ports(self, place: int = 0) -> Ports:
        """Of REST and gRPC."""
        return self._ports["predictor"][place]

    def start_predictor(self, place: int = 0) -> ServerProcess:
        """A predictor on its ports, with the model of the moment."""
        settings = {"model_dir": self.model_dir, "device": "cpu", "torch_threads": 1} | self._common()
        if self.shape.variables:
            return self._started(
                ServerProcess(
                    ("predictor",), _text(settings), self.predictor_ports(place), self.shape.variables
                )
            )
        process = self._standbys.take()
        process.begin(self.predictor_ports(place), settings)
        return self._started(process)

    def start_transformer(self, place: int = 0, **more: object) -> ServerProcess:
        """A transformer on its ports."""
        own = {
            "predictor_host": f"{HOST}:{self.predictor_port}",
            "graph_store": self.store,
            "snapshot_poll_s": 0.1,
        }
        ports = self._ports["transformer"][place]
        settings = _text(own | self._common() | more)
        return self._started(ServerProcess(("transformer",), settings, ports, self.shape.variables))

    def _common(self) -> dict[str, object]:
        drain = DRAIN_DELAY_S if self.shape.replicas > 1 else 0
        return {
            "default_deadline_ms": round(1000 * self.shape.default_s),
            "drain_delay_s": drain,
            "log_level": "WARNING",
        }

    def _started(self, process: ServerProcess) -> ServerProcess:
        self._stack.callback(process.stop)
        return process

    def processes(self) -> list[ServerProcess]:
        """Those that ought to run."""
        return [*self.predictors, *self.transformers]

    def wait_until_up(self, limit_s: float = 120.0) -> None:
        """Until every process is ready."""
        for process in self.processes():
            process.wait_until_ready(limit_s)

    def recovery_s(self, world: World, limit_s: float = 20.0) -> float:
        """Seconds from now until both protocols give a world's answer again; the limit where they do not."""
        began_s = time.monotonic()
        while not self._is_well(world):
            if time.monotonic() - began_s > limit_s:
                return limit_s
            time.sleep(ASK_S)
        return time.monotonic() - began_s

    def _is_well(self, world: World) -> bool:
        name, row = next(iter(world.rows.items()))
        try:
            found = [self._rest(name), self._grpc(name)]
        except (httpx.HTTPError, grpc.RpcError):
            return False
        return all(same(one, row) for one in found)

    def _rest(self, name: str) -> Row:
        url = f"http://{HOST}:{self.rest_port}{INFER}"
        answer = httpx.post(url, json=document([name]), timeout=1).raise_for_status()
        return rows_of(columns_of(answer.json()))[0]

    def _grpc(self, name: str) -> Row:
        with grpc.insecure_channel(f"{HOST}:{self.grpc_port}") as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            return rows_of(columns_of_message(stub.ModelInfer(message([name.encode()]), timeout=1)))[0]


def ask_alone(rest_port: int, names: Sequence[str]) -> tuple[str, dict[str, Row]]:
    """The model version of a healthy transformer, and what it says of each name, asked alone."""
    rows, versions = {}, set()
    with httpx.Client(base_url=f"http://{HOST}:{rest_port}", timeout=5) as client:
        for name in names:
            answer = client.post(INFER, json=document([name])).raise_for_status().json()
            (rows[name],) = rows_of(columns_of(answer))
            versions.add(answer["parameters"]["model_version"])
    assert len(versions) == 1, versions
    return versions.pop(), rows


def _two_ports() -> Ports:
    first, second = free_ports(2)
    return first, second


def _text(settings: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in settings.items()}


@contextmanager
def traffic(system: System, names: Sequence[str], rate: float) -> Iterator[Path]:
    """Callers for the length of a block; gives the file of their outcomes, which is whole after it."""
    record, listed = system.folder / "traffic.jsonl", system.folder / "names.json"
    record.touch()
    listed.write_text(json.dumps(list(names)))
    command = [sys.executable, "-m", "tests.chaos.traffic", "--names", str(listed), "--out", str(record)]
    command += ["--rest", str(system.rest_port), "--grpc", str(system.grpc_port), "--rate", str(rate)]
    command += ["--deadlines", ",".join(map(str, system.shape.deadlines))]
    command += ["--default", str(system.shape.default_s)]
    # A session of its own, so that Ctrl-C reaches only the parent.
    with subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True) as process:
        try:
            poll(lambda: record.read_text().count("\n") > 20, limit_s=30)
            yield record
        finally:
            process.terminate()
            process.wait(60)
