"""A peer that speaks the predictor's protocol, records what it is sent and does as the request id says.

`python -m tests.scripted_predictor DIRECTORY [ORDER …]` leaves N.request, the bytes of the N-th request, and N.json,
its metadata and remaining seconds. The request's x-request-id may be an order: `status:NAME`, `sleep:SECONDS`, or
`answer:` with one of FLAWS, or "older" for an answer as release 0.1.0 gives it; any other is answered with a risk of
0.75 for all. With orders on the command line, nothing is recorded and requests are treated by them in turn, whatever
their ids.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc

RISK = 0.75
FLAWS = ("nothing", "short", "no thresholds", "no numbers", "over one", "torn", "retyped")


class ScriptedPredictor(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Always ready, never asks what the tensors mean."""

    def __init__(self, directory: Path, orders: Sequence[str] = ()) -> None:
        self._directory = directory
        self._orders = cycle(orders) if orders else None
        self._numbers = count()

    def ModelReady(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Yes."""
        return service_pb2.ModelReadyResponse(ready=True)

    def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Record, then do as told."""
        metadata = dict(context.invocation_metadata())
        if self._orders is None:
            self._record(request, metadata, context.time_remaining())
        given = next(self._orders) if self._orders else metadata.get("x-request-id", "")
        order, _, argument = given.partition(":")
        if order == "status":
            context.abort(grpc.StatusCode[argument], f"scripted {argument}")
        if order == "sleep":
            time.sleep(float(argument))
        return _answer(request, argument if order == "answer" else "")

    def _record(self, request: Any, metadata: dict[str, str], remaining_s: float | None) -> None:
        path = self._directory / str(next(self._numbers))
        path.with_suffix(".request").write_bytes(request.SerializeToString())
        told = {"metadata": metadata, "remaining_s": remaining_s}
        path.with_suffix(".pending").write_text(json.dumps(told))
        # Whole at once, for a test that waits for it.
        path.with_suffix(".pending").rename(path.with_suffix(".json"))


def _answer(request: Any, flaw: str) -> Any:
    response = service_pb2.ModelInferResponse(model_name=request.model_name, model_version="7", id=request.id)
    if flaw == "nothing":
        return response
    graphs = next(tensor.shape[0] for tensor in request.inputs if tensor.name == "target_nodes")
    scored = graphs - (flaw == "short")
    categories = np.tile(np.array([1 - RISK, 0, 0, RISK], "<f4"), (scored, 1))
    risk = np.full(scored, {"no numbers": np.nan, "over one": 1.5}.get(flaw, RISK), "<f4")
    outputs = {"category_scores": categories, "risk_score": risk, "name_score": np.full(scored, RISK, "<f4")}
    if flaw == "older":
        del outputs["name_score"]
    for name, values in outputs.items():
        response.outputs.add(name=name, datatype="FP64" if flaw == "retyped" else "FP32", shape=values.shape)
        response.raw_output_contents.append(values.tobytes()[3 * (flaw == "torn") :])
    response.parameters["model_version"].string_param = "7"
    if flaw != "no thresholds":
        response.parameters["monitor_threshold"].double_param = 0.5
        response.parameters["block_threshold"].double_param = 0.7
    return response


def main(directory: str, *orders: str) -> None:
    """Serve until told to stop."""
    server = grpc.server(ThreadPoolExecutor(8))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(
        ScriptedPredictor(Path(directory), orders), server
    )
    server.add_insecure_port(f"127.0.0.1:{os.environ['DNS_RISK_GRPC_PORT']}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
