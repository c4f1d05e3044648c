"""ModelInfer on gRPC: an own grpc.aio server with KServe's stubs, and no interceptors.

Issue 5 puts a thinner front in this file's place; everything it decides comes from `front_desk`,
`v2_message` and `grpc_information`.
"""

from __future__ import annotations

import time
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

from contract.errors import DeadlineExceeded, InvalidTensors, RiskError
from serving.front_desk import CallWatch, FrontDesk
from serving.grpc_information import Information, LiveHealth
from serving.metrics import UNKNOWN_MODEL
from serving.model import InferCall
from serving.request_context import forwardable, identify
from serving.settings import ServingSettings
from serving.v2_message import decode_message, fill_response

SERVICE_NAME: Final = "inference.GRPCInferenceService"

# Probes and metadata get through when inference has used up its share.
_CALLS_BESIDE_INFERENCE: Final = 64


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
        decoded = decode_message(request, self.desk.contracts[model.name])
        forward = forwardable(context.invocation_metadata() or ())
        watch.request_id = identify(decoded.request_id, forward)
        answer = await model.infer(
            InferCall(
                decoded.inputs,
                decoded.parameters,
                watch.request_id,
                watch.deadline,
                forward,
                watch.caller_gone,
            )
        )
        response = messages.ModelInferResponse()
        fill_response(response, model, watch.request_id, answer, decoded.outputs)
        return response


def parse(raw: bytes) -> Any:
    """The message, or the refusal of bytes that are none: raised in here, gRPC would answer UNKNOWN."""
    try:
        return messages.ModelInferRequest.FromString(raw)
    except DecodeError:
        return InvalidTensors("the bytes are no ModelInferRequest")


def grpc_server(desk: FrontDesk) -> Any:
    """A gRPC server with inference, health and reflection, not yet bound to a port."""
    server = grpc.aio.server(
        options=_channel_options(desk.settings),
        maximum_concurrent_rpcs=desk.settings.max_in_flight + _CALLS_BESIDE_INFERENCE,
    )
    servicer = InferenceServicer(desk)
    infer = grpc.unary_unary_rpc_method_handler(
        servicer.ModelInfer, parse, messages.ModelInferResponse.SerializeToString
    )
    stubs.add_GRPCInferenceServiceServicer_to_server(servicer, server)
    # The last handler registered for a method is the one that is called.
    server.add_registered_method_handlers(SERVICE_NAME, {"ModelInfer": infer})
    health_pb2_grpc.add_HealthServicer_to_server(LiveHealth(desk, SERVICE_NAME), server)
    reflection.enable_server_reflection((SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return server


def _channel_options(settings: ServingSettings) -> list[tuple[str, int]]:
    """Core settings; names from grpc/impl/channel_arg_names.h, times in milliseconds."""
    keepalive_ms = settings.grpc_keepalive_s * 1000
    options = [
        # Two servers on one port would share its requests at random instead of failing.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.max_request_bytes),
        ("grpc.max_send_message_length", settings.max_request_bytes),
        ("grpc.max_metadata_size", settings.max_header_bytes),
        ("grpc.absolute_max_metadata_size", settings.max_header_bytes),
        ("grpc.max_concurrent_streams", settings.max_in_flight + _CALLS_BESIDE_INFERENCE),
        ("grpc.keepalive_time_ms", keepalive_ms),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", keepalive_ms),
    ]
    if settings.grpc_max_connection_age_s:
        options.append(("grpc.max_connection_age_ms", settings.grpc_max_connection_age_s * 1000))
        options.append(("grpc.max_connection_age_grace_ms", settings.max_deadline_ms))
    return options
