"""What gRPC callers ask beside inference: liveness, readiness, metadata and grpc.health.v1."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

from contract.errors import UnknownModel
from contract.tensors import TensorSpec
from serving.front_desk import SERVER_NAME, FrontDesk, server_version
from serving.model import RiskModel

# ruff: noqa: N802 - method names are those of the protocols


class Information(stubs.GRPCInferenceServiceServicer):  # type: ignore[misc]  # generated without types
    """The questions of KServe's gRPC service, answered as on REST."""

    def __init__(self, desk: FrontDesk) -> None:
        self.desk = desk

    async def ServerLive(self, _request: Any, _context: Any) -> Any:
        """Whether the process answers: it does."""
        return messages.ServerLiveResponse(live=True)

    async def ServerReady(self, _request: Any, _context: Any) -> Any:
        """Whether every model is ready."""
        return messages.ServerReadyResponse(ready=await self.desk.ready())

    async def ModelReady(self, request: Any, context: Any) -> Any:
        """Whether one model is ready; NOT_FOUND for a model or version that is not here."""
        model = await self._model(request, context)
        return messages.ModelReadyResponse(ready=await self.desk.model_ready(model))

    async def ServerMetadata(self, _request: Any, _context: Any) -> Any:
        """Name and version of this server."""
        return messages.ServerMetadataResponse(name=SERVER_NAME, version=server_version())

    async def ModelMetadata(self, request: Any, context: Any) -> Any:
        """The declared tensors of one model; NOT_FOUND for a model or version that is not here."""
        model = await self._model(request, context)
        return messages.ModelMetadataResponse(
            name=model.name,
            versions=[model.version],
            platform=model.platform,
            inputs=[_tensor_metadata(spec) for spec in model.inputs],
            outputs=[_tensor_metadata(spec) for spec in model.outputs],
        )

    async def RepositoryModelLoad(self, _request: Any, context: Any) -> NoReturn:
        """Refused: models come with their image."""
        await _refuse_repository(context)

    async def RepositoryModelUnload(self, _request: Any, context: Any) -> NoReturn:
        """Refused: an anonymous caller could end the service."""
        await _refuse_repository(context)

    async def _model(self, request: Any, context: Any) -> RiskModel:
        try:
            return self.desk.model(request.name, request.version)
        except UnknownModel as error:
            await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
            raise


async def _refuse_repository(context: Any) -> NoReturn:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "models are not loaded or unloaded over the network")
    raise AssertionError("abort returned. This is a bug.")


def _tensor_metadata(spec: TensorSpec) -> Any:
    return messages.ModelMetadataResponse.TensorMetadata(
        name=spec.name, datatype=spec.datatype, shape=spec.shape
    )


class LiveHealth(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated without types
    """grpc.health.v1 that asks the models themselves, for "" and the service, and by model name.

    grpc_health's own asyncio servicer loses the second of two watchers of one name when the first goes.
    """

    def __init__(self, desk: FrontDesk, service: str) -> None:
        self._desk = desk
        self._whole_server = {"", service}

    async def Check(self, request: Any, context: Any) -> Any:
        """The state now; NOT_FOUND for a name that is neither service nor model."""
        status = await self._status(request.service)
        if status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service or model")
        return health_pb2.HealthCheckResponse(status=status)

    async def Watch(self, request: Any, context: Any) -> None:
        """The state now and at each change, until the caller leaves or the server stops."""
        last = None
        while True:
            status = await self._status(request.service)
            if status != last:
                await context.write(health_pb2.HealthCheckResponse(status=status))
                last = status
            await asyncio.sleep(self._desk.settings.readiness_period_s)

    async def _status(self, service: str) -> int:
        states = health_pb2.HealthCheckResponse
        if service in self._whole_server:
            ready = await self._desk.ready()
        elif service in self._desk.models:
            ready = await self._desk.model_ready(self._desk.models[service])
        else:
            unknown: int = states.SERVICE_UNKNOWN
            return unknown
        status: int = states.SERVING if ready else states.NOT_SERVING
        return status
