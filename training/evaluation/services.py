"""The running services as evaluation uses them: names go in as a client's do, scores come back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
from tqdm import tqdm
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import serialize_byte_tensor

from contract.tensors import ANSWERS, DOMAIN, RISK_MODEL, RISK_SCORE
from inference_services.local import LocalSettings
from inference_services.processes import HOST, free_ports

NAMES_A_REQUEST: Final = 256
REQUESTS_IN_FLIGHT: Final = 4
DEADLINE_S: Final = 60


def local_settings(model_dir: Path, store: Path) -> LocalSettings:
    """The services on free ports, over a model version and a graph store."""
    ports = free_ports(6)
    return LocalSettings(
        transformer_rest_port=ports[0],
        transformer_grpc_port=ports[1],
        predictor_rest_port=ports[2],
        predictor_grpc_port=ports[3],
        explainer_rest_port=ports[4],
        explainer_grpc_port=ports[5],
        model_dir=model_dir,
        graph_store=store,
    )


def import_observations(lines: Sequence[bytes], store: Path) -> None:
    """Feed observations to the graph store's own command, as an operator does."""
    # Addresses of the labelled graph are private stand-ins.
    command = [sys.executable, "-m", "transformer.graph_store", "import", "-", "--private_addresses"]
    command += ["--store", str(store)]
    subprocess.run(command, input=b"\n".join(lines), check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def scores_of(
    settings: LocalSettings, domains: Sequence[str], what: str, answers: Sequence[str] | None = None
) -> np.ndarray:
    """The risk score of every name, from services that run with these settings; see `served_scores`."""
    return asyncio.run(served_scores(domains, settings.transformer_grpc_port, answers, what))


async def served_scores(
    domains: Sequence[str], port: int, answers: Sequence[str] | None = None, what: str = "names"
) -> np.ndarray:
    """The risk score of every name, asked over gRPC; -1 for what is no domain name."""
    scores = np.full(len(domains), np.nan, np.float32)
    limit = asyncio.Semaphore(REQUESTS_IN_FLIGHT)
    async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        progress = tqdm(
            total=len(domains), desc=f"scored by the services: {what}", unit="names", disable=None
        )

        async def ask(first: int) -> None:
            part = slice(first, first + NAMES_A_REQUEST)
            request = request_of(domains[part], answers[part] if answers else None)
            async with limit:
                answer = await stub.ModelInfer(request, timeout=DEADLINE_S)
            scores[part] = output_of(answer, RISK_SCORE.name)
            progress.update(len(domains[part]))

        await asyncio.gather(*(ask(first) for first in range(0, len(domains), NAMES_A_REQUEST)))
        progress.close()
    return scores


def request_of(domains: Sequence[str], answers: Sequence[str] | None = None) -> Any:
    """A v2 request for the scores of some names."""
    request = service_pb2.ModelInferRequest(model_name=RISK_MODEL)
    for name, values in ((DOMAIN.name, domains), (ANSWERS.name, answers)):
        if values is not None:
            request.inputs.add(name=name, datatype="BYTES", shape=[len(values)])
            encoded = serialize_byte_tensor(np.array([value.encode() for value in values], object))
            request.raw_input_contents.append(encoded.item())
    return request


def output_of(answer: Any, name: str) -> np.ndarray:
    """One FP32 output of an answer."""
    place = [output.name for output in answer.outputs].index(name)
    return np.frombuffer(answer.raw_output_contents[place], np.float32)
