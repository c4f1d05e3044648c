"""One request and its outcome, over connections that are kept; blocks its greenlet only."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Any, Protocol

import grpc
from geventhttpclient import HTTPClient

from contract.tensors import INFER_METHOD
from load_tests.graph_messages import INFER_PATH
from load_tests.load.target import Target, address_of, trusting
from load_tests.load.wire import (
    Answer,
    UnusableAnswer,
    grpc_request,
    json_request,
    read_grpc,
    read_json,
)

# A refusal at a deadline is still on its way when the deadline has passed.
_GRACE_S = 0.5
_OK = 200
_MAX_ANSWER_BYTES = 64 << 20


class Failed(Exception):
    """A request without a usable answer; the message is its code: a status, or what happened instead."""


class Sender(Protocol):
    """A way to ask."""

    def send(self, names: Sequence[str], answers: Sequence[str] | None) -> tuple[str, Answer]:
        """Ask for the scores of some names; the status and what the answer holds.

        Raises:
            Failed: refused, unreachable, too late or unusable.
        """

    def close(self) -> None:
        """Drop the connections."""


class RestSender:
    """Over HTTP/1.1, one request at a time on each connection, as many connections as are needed."""

    def __init__(self, target: Target, timeout_s: float, at_once: int) -> None:
        tls, host, port = address_of(target.rest)
        self._headers = {
            "content-type": "application/json",
            "x-request-timeout-ms": str(max(1, round(1000 * timeout_s))),
        } | target.headers
        self._client = HTTPClient(
            host,
            port,
            ssl=tls,
            ssl_options={"server_hostname": target.host_header or host} if tls else None,
            ssl_context_factory=(lambda *_, **__: trusting(target.ca_file)) if tls else None,
            concurrency=at_once,
            connection_timeout=timeout_s + _GRACE_S,
            network_timeout=timeout_s + _GRACE_S,
        )

    def send(self, names: Sequence[str], answers: Sequence[str] | None) -> tuple[str, Answer]:
        try:
            response = self._client.post(INFER_PATH, body=json_request(names, answers), headers=self._headers)
            with response:
                status, body = response.status_code, bytes(response.read())
        except Exception as error:  # noqa: BLE001 - sockets, TLS and parsers fail in many ways; all are outcomes
            raise Failed(_reason(error)) from None
        if status != _OK:
            raise Failed(str(status))
        return str(status), _read(read_json, body, len(names))

    def close(self) -> None:
        self._client.close()


class GrpcSender:
    """Over HTTP/2; requests are dealt out over the connections in turn."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        tls, host, port = address_of(target.grpc)
        self._timeout_s = timeout_s
        self._metadata = tuple(target.authorization.items())
        self._channels = [_channel(target, tls, f"{host}:{port}") for _ in range(target.connections)]
        self._calls = [channel.unary_unary(INFER_METHOD) for channel in self._channels]
        self._turn = 0

    def send(self, names: Sequence[str], answers: Sequence[str] | None) -> tuple[str, Answer]:
        self._turn = (self._turn + 1) % len(self._calls)
        call = self._calls[self._turn]
        try:
            message = call(grpc_request(names, answers), timeout=self._timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise Failed(error.code().name) from None
        return "OK", _read(read_grpc, message, len(names))

    def close(self) -> None:
        for channel in self._channels:
            channel.close()


def _channel(target: Target, tls: bool, address: str) -> Any:
    options: list[tuple[str, Any]] = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", _MAX_ANSWER_BYTES),
    ]
    if target.host_header:
        options += [("grpc.default_authority", target.host_header)]
    if not tls:
        return grpc.insecure_channel(address, options)
    if target.host_header:
        options += [("grpc.ssl_target_name_override", target.host_header)]
    roots = target.ca_file.read_bytes() if target.ca_file else None
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(roots), options)


def _read(reader: Any, body: bytes, names: int) -> Answer:
    try:
        return reader(body, names)
    except UnusableAnswer as unusable:
        raise Failed(f"unusable: {unusable}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    return f"connection lost: {type(error).__name__}"
