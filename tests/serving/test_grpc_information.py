from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest
import tritonclient.grpc as triton
from google.protobuf.json_format import MessageToDict
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.serving.server_process import ServerProcess
from tests.serving.v2_requests import INFER, document

pytestmark = pytest.mark.every_front


@pytest.fixture(scope="module")
def channel(echo: ServerProcess) -> Iterator[grpc.Channel]:
    """A channel to the echo process."""
    with grpc.insecure_channel(echo.grpc_target) as channel:
        yield channel


def check(channel: grpc.Channel, service: str) -> str:
    """What grpc.health.v1 says of a service."""
    request = health_pb2.HealthCheckRequest(service=service)
    status = health_pb2_grpc.HealthStub(channel).Check(request, timeout=5).status
    name: str = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
    return name


def test_metadata_is_the_same_on_both_protocols(channel: grpc.Channel, http: httpx.Client) -> None:
    """REST and gRPC describe one model in the same words."""
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    by_grpc = MessageToDict(stub.ModelMetadata(service_pb2.ModelMetadataRequest(name="echo", version="7")))
    by_rest = http.get("/v2/models/echo").json()
    for tensor in by_grpc["inputs"] + by_grpc["outputs"]:
        tensor["shape"] = [int(axis) for axis in tensor["shape"]]
    assert by_grpc == by_rest
    server = stub.ServerMetadata(service_pb2.ServerMetadataRequest())
    assert (server.name, server.version) == (
        http.get("/v2").json()["name"],
        http.get("/v2").json()["version"],
    )


def test_tritonclient_asks_about_health(echo: ServerProcess) -> None:
    """Tritonclient's questions about server and model are answered."""
    with triton.InferenceServerClient(echo.grpc_target) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("echo", "7")


@pytest.mark.parametrize(("name", "version"), [("other", ""), ("echo", "8")])
def test_other_models_are_not_found(channel: grpc.Channel, name: str, version: str) -> None:
    """Metadata and readiness of what is not here are NOT_FOUND."""
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    for ask, request in (
        (stub.ModelMetadata, service_pb2.ModelMetadataRequest(name=name, version=version)),
        (stub.ModelReady, service_pb2.ModelReadyRequest(name=name, version=version)),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            ask(request, timeout=5)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_models_cannot_be_unloaded(channel: grpc.Channel) -> None:
    """The repository calls are UNIMPLEMENTED, and the model stays."""
    for method in ("RepositoryModelLoad", "RepositoryModelUnload"):
        call = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
        with pytest.raises(grpc.RpcError) as refused:
            call(b"\x0a\x04echo", timeout=5)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert check(channel, "echo") == "SERVING"


def test_health_follows_the_model(channel: grpc.Channel, http: httpx.Client) -> None:
    """grpc.health.v1 knows the server, the service and the model; each says what the model says."""
    services = ("", "inference.GRPCInferenceService", "echo")
    assert [check(channel, service) for service in services] == ["SERVING"] * 3
    http.post(INFER, json=document(parameters={"ready": False}))
    assert [check(channel, service) for service in services] == ["NOT_SERVING"] * 3
    http.post(INFER, json=document(parameters={"ready": True}))
    with pytest.raises(grpc.RpcError) as refused:
        check(channel, "other")
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_every_watcher_sees_every_change(channel: grpc.Channel, http: httpx.Client) -> None:
    """Watchers of one name are told of changes, also after another watcher has left."""
    request = health_pb2.HealthCheckRequest(service="echo")
    stub = health_pb2_grpc.HealthStub(channel)
    leaving, staying = stub.Watch(request, timeout=20), stub.Watch(request, timeout=20)
    states = health_pb2.HealthCheckResponse
    assert next(leaving).status == next(staying).status == states.SERVING
    leaving.cancel()
    http.post(INFER, json=document(parameters={"ready": False}))
    assert next(staying).status == states.NOT_SERVING
    http.post(INFER, json=document(parameters={"ready": True}))
    assert next(staying).status == states.SERVING
    staying.cancel()


def test_reflection_lists_the_services(channel: grpc.Channel) -> None:
    """Grpcurl and its kin can find out what is served."""
    services: list[Any] = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= set(services)
