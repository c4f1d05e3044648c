"""gRPC: inference, information, health and reflection on one of two servers, by one setting.

    thin    our own HTTP/2 server (`http2`), inference in `thin_front`
    grpcio  grpc.aio, the reference that every wire test runs against too

Both take the same servicers; what they decide comes from `front_desk` and `infer_message`.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

from serving.front_desk import FrontDesk
from serving.grpc_information import Information, LiveHealth
from serving.grpcio_inference import InferenceServicer, channel_options, infer_handler
from serving.http2.server import Http2Server
from serving.listening import bind_grpc, grpc_socket
from serving.thin_front import Inference, limits_of

SERVICE_NAME: Final = "inference.GRPCInferenceService"

# Probes and metadata get through when inference has used up its share.
_CALLS_BESIDE_INFERENCE: Final = 64


class GrpcServer(Protocol):
    """What the life of a server needs of either."""

    async def start(self) -> None: ...

    async def stop(self, grace: float | None) -> None: ...


def grpc_server(desk: FrontDesk) -> GrpcServer:
    """A gRPC server that is bound to its port and not yet started.

    Raises:
        SystemExit: the port cannot be listened on.
    """
    return _thin(desk) if desk.settings.grpc_front == "thin" else _grpcio(desk)


def _thin(desk: FrontDesk) -> GrpcServer:
    settings = desk.settings
    server = Http2Server(limits_of(settings, _CALLS_BESIDE_INFERENCE))
    _register(desk, Information(desk), server)
    Inference(desk).register(server, f"/{SERVICE_NAME}/ModelInfer")
    server.listen_on(grpc_socket(settings.host, settings.grpc_port))
    return server


def _grpcio(desk: FrontDesk) -> GrpcServer:
    settings = desk.settings
    calls = settings.max_in_flight + _CALLS_BESIDE_INFERENCE
    server = grpc.aio.server(options=channel_options(settings, calls), maximum_concurrent_rpcs=calls)
    servicer = InferenceServicer(desk)
    _register(desk, servicer, server)
    # The last handler registered for a method is the one that is called.
    server.add_registered_method_handlers(SERVICE_NAME, {"ModelInfer": infer_handler(servicer)})
    bind_grpc(server, settings.host, settings.grpc_port)
    return server


def _register(desk: FrontDesk, information: Information, server: Any) -> None:
    stubs.add_GRPCInferenceServiceServicer_to_server(information, server)
    health_pb2_grpc.add_HealthServicer_to_server(LiveHealth(desk, SERVICE_NAME), server)
    names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(
        reflection.aio.ReflectionServicer(names), server
    )
