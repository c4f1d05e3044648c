"""ModelInfer on grpc.aio, without interceptors."""

from __future__ import annotations

import time
from typing import Any

import grpc
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages

from contract.errors import DeadlineExceeded, InvalidTensors, RiskError
from serving.front_desk import CallWatch
from serving.grpc_information import Information
from serving.infer_message import infer_message, parse
from serving.metrics import UNKNOWN_MODEL
from serving.request_context import RETRY_PUSHBACK, RETRYABLE, forwardable
from serving.settings import ServingSettings


class InferenceServicer(Information):
    """KServe's gRPC service: inference here, questions about server and models in `Information`."""

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Answer one v2 inference request, as `parse` left it, and count it."""
        if isinstance(request, RiskError):
            self._count_unreadable(request)
            return await context.abort(grpc.StatusCode[request.grpc_status], str(request))
        began_s = time.perf_counter()
        desk = self.desk
        desk.metrics.begin("grpc")
        # What a request is counted as when gRPC cancels it: its caller is gone.
        code = "CANCELLED"
        try:
            response = await self._infer(request, context)
        except RiskError as error:
            code = error.grpc_status
            if isinstance(error, RETRYABLE):
                context.set_trailing_metadata(RETRY_PUSHBACK)
            return await context.abort(grpc.StatusCode[code], str(error))
        else:
            code = "OK"
            return response
        finally:
            label = request.model_name if request.model_name in desk.models else UNKNOWN_MODEL
            desk.metrics.end("grpc", label, code, time.perf_counter() - began_s)

    def _count_unreadable(self, error: RiskError) -> None:
        self.desk.metrics.begin("grpc")
        self.desk.metrics.end("grpc", UNKNOWN_MODEL, error.grpc_status, 0.0)

    async def _infer(self, request: Any, context: Any) -> Any:
        wanted_s = context.time_remaining()
        if wanted_s is not None and wanted_s <= 0:
            raise DeadlineExceeded("the deadline passed before the request was read")
        with self.desk.admit("grpc", self.desk.deadline(wanted_s)) as watch:
            return await watch.run(self._answer(request, context, watch))

    async def _answer(self, request: Any, context: Any, watch: CallWatch) -> Any:
        model = self.desk.model(request.model_name, request.model_version)
        forward = forwardable(context.invocation_metadata() or ())
        watch.request_id = request.id
        return await infer_message(
            model, self.desk.contracts[model.name], request, forward, watch.deadline, watch.caller_gone
        )


def infer_handler(servicer: InferenceServicer) -> Any:
    """The handler of ModelInfer for grpc's servers."""
    return grpc.unary_unary_rpc_method_handler(
        servicer.ModelInfer, _parsed, messages.ModelInferResponse.SerializeToString
    )


def _parsed(raw: bytes) -> Any:
    # Raised in here, gRPC would answer UNKNOWN.
    try:
        return parse(raw)
    except InvalidTensors as refusal:
        return refusal


def channel_options(settings: ServingSettings, calls: int) -> list[tuple[str, int]]:
    """Core settings; names from grpc/impl/channel_arg_names.h, times in milliseconds."""
    keepalive_ms = settings.grpc_keepalive_s * 1000
    options = [
        # Two servers on one port would share its requests at random instead of failing.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.max_request_bytes),
        ("grpc.max_send_message_length", settings.max_request_bytes),
        ("grpc.max_metadata_size", settings.max_header_bytes),
        ("grpc.absolute_max_metadata_size", settings.max_header_bytes),
        ("grpc.max_concurrent_streams", calls),
        ("grpc.keepalive_time_ms", keepalive_ms),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", keepalive_ms),
    ]
    if settings.grpc_max_connection_age_s:
        options.append(("grpc.max_connection_age_ms", settings.grpc_max_connection_age_s * 1000))
        options.append(("grpc.max_connection_age_grace_ms", settings.max_deadline_ms))
    return options
