"""A transformer that says of every name that it is to be blocked; names that begin with "poison" it cannot take."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
from tritonclient.grpc import service_pb2

from contract.byte_strings import packed, texts_in
from contract.tensors import ACTION, CATEGORY, INFER_METHOD, NAME_SCORE, RISK_SCORE, STATUS
from tests.serving.server_process import HOST


class HarshTransformer(grpc.GenericRpcHandler):
    """Counts the names that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuse_all = False
        self.target = ""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The one method."""
        if handler_call_details.method != INFER_METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(
            self._infer,
            service_pb2.ModelInferRequest.FromString,
            service_pb2.ModelInferResponse.SerializeToString,
        )

    def _infer(self, request: Any, context: grpc.ServicerContext) -> Any:
        names = texts_in(request.raw_input_contents[0])
        self.asked += names
        if self.refuse_all or any(name.startswith("poison") for name in names):
            context.abort(grpc.StatusCode.INTERNAL, "a name that cannot be taken")
        scores = np.full(len(names), 0.999, np.float32).tobytes()
        columns = {CATEGORY: "phishing", ACTION: "block", STATUS: "ok"}
        response = service_pb2.ModelInferResponse(model_name="dns-risk")
        for spec in (RISK_SCORE, NAME_SCORE):
            response.outputs.add(name=spec.name, datatype=spec.datatype, shape=[len(names)])
            response.raw_output_contents.append(scores)
        for spec, value in columns.items():
            response.outputs.add(name=spec.name, datatype=spec.datatype, shape=[len(names)])
            response.raw_output_contents.append(packed([value] * len(names)))
        return response


@contextmanager
def harsh_transformer() -> Iterator[HarshTransformer]:
    """One on a port of its own."""
    transformer = HarshTransformer()
    server = grpc.server(ThreadPoolExecutor(4), handlers=(transformer,))
    transformer.target = f"{HOST}:{server.add_insecure_port(f'{HOST}:0')}"
    server.start()
    try:
        yield transformer
    finally:
        server.stop(0).wait()
