"""The services as processes on this machine: `make run`, evaluation and benchmarks."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.tensors import RISK_MODEL
from explainer.background import CONFIG_FILE
from inference_services.machine import taken_ports
from inference_services.processes import (
    HOST,
    Service,
    ServiceFailed,
    ServiceRefused,
    start,
    until_stopped,
    wait_until_ready,
)

_COMMON: dict[str, object] = {"host": HOST, "log_level": "WARNING"}

Port = Annotated[int, Field(ge=1, le=65535)]


class LocalSettings(BaseSettings):
    """Ports and places of the local services, from the environment variables of the same names."""

    model_config = SettingsConfigDict(frozen=True, protected_namespaces=(), populate_by_name=True)

    transformer_rest_port: Port = 8080
    transformer_grpc_port: Port = 8081
    predictor_rest_port: Port = 8082
    predictor_grpc_port: Port = 8083
    explainer_rest_port: Port = 8084
    explainer_grpc_port: Port = 8085
    # Also by the services' own names for them, which their error messages and commands mention.
    model_dir: Path = Field(
        default=Path("models/dns-risk/2"), validation_alias=AliasChoices("MODEL_DIR", "DNS_RISK_MODEL_DIR")
    )
    graph_store: Path = Field(
        default=Path("graph-store"), validation_alias=AliasChoices("GRAPH_STORE", "DNS_RISK_GRAPH_STORE")
    )

    def ports(self) -> dict[str, int]:
        """The ports by the environment variables that set them."""
        return {name.upper(): port for name, port in self if name.endswith("_port")}


@contextmanager
def running(
    settings: LocalSettings, *, explained: bool = False, **transformer: object
) -> Iterator[list[Service]]:
    """Predictor and transformer, and the explainer where wanted, ready; stopped in the opposite order.

    Args:
        settings: ports and places.
        explained: whether the explainer runs as well.
        transformer: further settings of the transformer.

    Raises:
        ServiceFailed: one of them ended, or was not ready within a minute.
    """
    services: list[Service] = []
    try:
        services.append(_start_predictor(settings))
        services.append(_start_transformer(settings, transformer))
        if explained:
            services.append(_start_explainer(settings))
        wait_until_ready(services)
        yield services
    finally:
        for service in reversed(services):
            service.stop()


def _start_predictor(settings: LocalSettings) -> Service:
    ports = settings.predictor_rest_port, settings.predictor_grpc_port
    return start("predictor", *ports, _COMMON | {"model_dir": settings.model_dir})


def _start_transformer(settings: LocalSettings, more: Mapping[str, object]) -> Service:
    own = {
        "graph_store": settings.graph_store,
        "predictor_host": f"{HOST}:{settings.predictor_grpc_port}",
        **more,
    }
    return start("transformer", settings.transformer_rest_port, settings.transformer_grpc_port, _COMMON | own)


def _start_explainer(settings: LocalSettings) -> Service:
    own = {
        "model_dir": settings.model_dir,
        "predictor_host": f"{HOST}:{settings.predictor_grpc_port}",
        "transformer_host": f"{HOST}:{settings.transformer_grpc_port}",
    }
    return start("explainer", settings.explainer_rest_port, settings.explainer_grpc_port, _COMMON | own)


def import_sample(settings: LocalSettings, sample: Path) -> None:
    """Fill an empty graph store from the sample."""
    if (settings.graph_store / "CURRENT").exists():
        return
    command = [sys.executable, "-m", "transformer.graph_store", "import", str(sample)]
    subprocess.run([*command, "--store", str(settings.graph_store)], check=True)  # noqa: S603


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Serve until Ctrl-C; the result is the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        settings = read_settings()
        import_sample(settings, Path("examples/passive_dns.jsonl"))
        with running(settings, explained=can_explain(settings)) as services:
            print(welcome(settings), flush=True)
            until_stopped(services)
    except KeyboardInterrupt:
        return 0
    except (subprocess.CalledProcessError, ServiceRefused):
        return 1
    except ServiceFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def read_settings() -> LocalSettings:
    """The settings of this environment, on ports that are free.

    Raises:
        ServiceFailed: an impossible setting or a port in use, with the variable that sets it.
    """
    try:
        settings = LocalSettings()
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]).upper()
        raise ServiceFailed(f"{name}={problem['input']}: {problem['msg'].lower()}") from None
    taken = taken_ports(HOST, settings.ports())
    if taken:
        in_use = ", ".join(f"{settings.ports()[name]} ({name})" for name in taken)
        raise ServiceFailed(f"port in use: {in_use}; set the variable to a free port")
    return settings


def can_explain(settings: LocalSettings) -> bool:
    """Whether the model version has what explanations compare with; older ones may not."""
    return (settings.model_dir / CONFIG_FILE).exists()


def welcome(settings: LocalSettings) -> str:
    """Where the services are, and a request to try."""
    rest = f"http://{HOST}:{settings.transformer_rest_port}"
    body = '{"inputs":[{"name":"domain","shape":[1],"datatype":"BYTES","data":["example.com"]}]}'
    explained = f"explanations http://{HOST}:{settings.explainer_rest_port}"
    if not can_explain(settings):
        explained = f"no explanations: {settings.model_dir} has no {CONFIG_FILE}"
    return (
        f"dns-risk is ready: REST {rest}, gRPC {HOST}:{settings.transformer_grpc_port}, {explained} "
        f"(Ctrl-C stops it). Try: curl -s {rest}/v2/models/{RISK_MODEL}/infer -d '{body}'"
    )


if __name__ == "__main__":
    sys.exit(main())
