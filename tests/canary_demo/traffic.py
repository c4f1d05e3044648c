"""`python -m tests.canary_demo.traffic`: queries of a log, asked at their own pace over REST and gRPC.

Open loop: a slow answer does not slow the next question. A process of its own, as tritonclient and kserve do not
share one. Writes a line of JSON for each request: when it was asked, protocol, status, model version, seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import os
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO

import grpc
import numpy as np
import tritonclient.grpc.aio as triton
from tritonclient.utils import InferenceServerException

from tests.one_shot_http import post

MODEL = "dns-risk"
TIMEOUT_S = 10.0
GOOD_CODES = ("200", "OK")


def sample_names(shared: Path) -> list[str]:
    """Names as often as they were asked for; made-up ones where the sample is not there."""
    sample = shared / "data" / "dns_traffic_sample.csv.gz"
    if sample.exists():
        with gzip.open(sample, "rt", newline="") as rows:
            return [row["query"] for row in csv.DictReader(rows)]
    draw = random.Random(0)  # noqa: S311 - names, not secrets
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        f"{''.join(draw.choices(letters, k=draw.randint(3, 16)))}.{draw.choice(('com', 'net', 'top', 'xyz'))}"
        for _ in range(3000)
    ]


async def over_rest(port: int, name: str) -> tuple[str, str]:
    """Status and model version; a connection for each request, which no reload can close between two."""
    column = {"name": "domain", "shape": [1], "datatype": "BYTES", "data": [name]}
    body = json.dumps({"inputs": [column]}).encode()
    json_type = {"Content-Type": "application/json"}
    status, answer = await post(port, f"/v2/models/{MODEL}/infer", body, json_type)
    return status, _version_of(json.loads(answer)) if status == "200" else ""


def _version_of(answer: dict) -> str:
    return str(answer.get("parameters", {}).get("model_version", ""))


async def over_grpc(client: triton.InferenceServerClient, name: str) -> tuple[str, str]:
    """Status and model version by NVIDIA's client."""
    column = triton.InferInput("domain", [1], "BYTES")
    column.set_data_from_numpy(np.array([name.encode()], object))
    answer = (await client.infer(MODEL, [column], client_timeout=TIMEOUT_S)).get_response()
    return "OK", answer.parameters["model_version"].string_param


class Traffic:
    """Asks and writes down."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    async def ask(self, protocol: str, call: Callable[[], Awaitable[tuple[str, str]]]) -> None:
        """One request, whatever comes of it."""
        asked = time.time()
        try:
            code, version = await asyncio.wait_for(call(), TIMEOUT_S)
        except InferenceServerException as error:
            code, version = str(error.status()), ""
        except (OSError, EOFError, TimeoutError, grpc.RpcError, ValueError) as error:
            code, version = type(error).__name__, ""
        line = {"asked": asked, "protocol": protocol, "code": code, "version": version}
        self._out.write(json.dumps({**line, "seconds": time.time() - asked}) + "\n")


async def run(options: argparse.Namespace) -> None:
    """Ask until the process is ended."""
    names = sample_names(options.shared)
    draw = random.Random(1)  # noqa: S311 - an order, not a secret
    with options.out.open("a", buffering=1) as out:
        traffic, tasks = Traffic(out), set()
        async with triton.InferenceServerClient(f"127.0.0.1:{options.grpc}") as client:
            due = time.monotonic()
            while True:
                name = draw.choice(names)
                if draw.random() < 0.5:
                    work = traffic.ask("rest", lambda name=name: over_rest(options.rest, name))
                else:
                    work = traffic.ask("grpc", lambda name=name: over_grpc(client, name))
                task = asyncio.create_task(work)
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                # Arrivals of independent callers.
                due += draw.expovariate(options.rate)
                await asyncio.sleep(max(0.0, due - time.monotonic()))


def main() -> None:
    """Ask until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rest", type=int, required=True, help="port")
    parser.add_argument("--grpc", type=int, required=True, help="port")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--out", type=Path, required=True)
    default = Path(os.environ.get("DNS_RISK_SHARED", "../shared"))
    parser.add_argument("--shared", type=Path, default=default)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
