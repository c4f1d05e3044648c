"""What every service can be told, read once from the environment and KServe's flags."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.feature_schema import FEATURE_SCHEMA
from contract.version import CONTRACT_VERSION

ENV_PREFIX: Final = "DNS_RISK_"

# KServe's flag -> our setting, where the names differ.
SETTING_OF_FLAG: Final = {"http_port": "rest_port", "timeout_keep_alive": "keep_alive_s"}

# Kubernetes sets these for every Service of the namespace, and ours may be called "dns-risk-…".
_SERVICE_LINK: Final = re.compile(
    r"_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$"
)

Port = Annotated[int, Field(ge=1, le=65535)]
Settings = TypeVar("Settings", bound="ServingSettings")


class ServingSettings(BaseSettings):
    """Settings of the front that all services share; a service adds its own fields in a subclass."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    # Upper-case names without prefix that belong to other processes of the same environment.
    other_services: ClassVar[frozenset[str]] = frozenset()

    host: str = "0.0.0.0"  # noqa: S104 - a container serves its pod's address
    """Address to listen on; "::" listens on IPv6 and IPv4."""

    rest_port: Port = 8080
    """Port of REST and of /metrics (flag --http_port)."""

    grpc_port: Port = 8081
    """Port of gRPC (flag --grpc_port)."""

    grpc_front: Literal["thin", "grpcio"] = "thin"
    """Who speaks gRPC: our own HTTP/2 server, or grpc.aio, at a seventh of the speed."""

    event_loop: Literal["auto", "uvloop", "asyncio"] = "auto"
    """Event loop; auto takes uvloop where it is installed (flag --event-loop)."""

    max_request_bytes: int = Field(8 * 1024 * 1024, ge=1024, le=1 << 30)
    """Largest request body or gRPC message, in bytes after decompression."""

    max_header_bytes: int = Field(32 * 1024, ge=1024, le=1 << 20)
    """Bytes of unfinished REST headers, and of gRPC metadata, after which a request is refused."""

    header_timeout_s: float = Field(10.0, gt=0.0, le=600.0)
    """Seconds a REST caller may take to send its headers."""

    max_in_flight: int = Field(1024, ge=1, le=1_000_000)
    """Requests worked on at a time per protocol; more are refused 429 / RESOURCE_EXHAUSTED."""

    default_deadline_ms: int = Field(5_000, ge=1, le=600_000)
    """Milliseconds a request may take when its caller sets no deadline."""

    max_deadline_ms: int = Field(60_000, ge=1, le=600_000)
    """Milliseconds a request may take whatever its caller asks for."""

    drain_delay_s: float = Field(0.0, ge=0.0, le=300.0)
    """Seconds between "not ready" and closed listeners: what endpoints and proxies need to notice."""

    grace_s: float = Field(20.0, ge=0.0, le=600.0)
    """Seconds that accepted work may take after the listeners closed; the rest is answered 503."""

    keep_alive_s: int = Field(65, ge=1, le=3600)
    """Seconds an idle REST connection is kept; longer than the proxy's (flag --timeout-keep-alive)."""

    grpc_keepalive_s: int = Field(30, ge=10, le=7200)
    """Seconds between keepalive pings on gRPC connections, and the shortest interval clients may ping at."""

    grpc_max_streams: int = Field(256, ge=1, le=100_000)
    """Requests at a time on one gRPC connection of the thin front; a client holds back what is more."""

    grpc_max_connection_age_s: int = Field(0, ge=0, le=86_400)
    """Seconds after which gRPC connections are gracefully renewed, so clients find new replicas; 0: never."""

    readiness_period_s: float = Field(1.0, gt=0.0, le=60.0)
    """Seconds between looks at the models' readiness for gRPC health watchers; also a probe's time limit."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe log line that is written."""

    contract_version: str | None = None
    """Contract that the manifest was written for; another than this build's stops the start."""

    feature_schema: str | None = None
    """Feature schema that the manifest was written for; another than this build's stops the start."""

    @field_validator("contract_version")
    @classmethod
    def _check_contract(cls, stated: str | None) -> str | None:
        return _same_build(stated, CONTRACT_VERSION)

    @field_validator("feature_schema")
    @classmethod
    def _check_features(cls, stated: str | None) -> str | None:
        return _same_build(stated, FEATURE_SCHEMA)

    @model_validator(mode="after")
    def _check_together(self) -> ServingSettings:
        if self.rest_port == self.grpc_port:
            raise ValueError(
                f"rest_port and grpc_port are both {self.rest_port}: REST and gRPC need a port each"
            )
        if self.default_deadline_ms > self.max_deadline_ms:
            raise ValueError(
                f"default_deadline_ms ({self.default_deadline_ms}) is over "
                f"max_deadline_ms ({self.max_deadline_ms})"
            )
        return self


def read_settings(kind: type[Settings], flags: Mapping[str, Any]) -> Settings:
    """Settings from the environment, overridden by the flags that were given.

    Args:
        kind: the service's settings class.
        flags: values by field name, as `serving.flags.given_flags` returns them; those without a field
            of this service are left out.

    Raises:
        SystemExit: an unknown or impossible setting, with one line that says which.
    """
    _refuse_unknown(kind, os.environ)
    try:
        return kind(**{name: value for name, value in flags.items() if name in kind.model_fields})
    except ValidationError as error:
        raise SystemExit("; ".join(_complaint(problem) for problem in error.errors())) from None


def _same_build(stated: str | None, built: str) -> str | None:
    if stated not in {None, built}:
        raise ValueError(f"this build has {built!r}; deploy manifest and image of the same release")
    return stated


def _complaint(problem: Any) -> str:
    reason = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return f"impossible settings: {reason}"
    name = f"{ENV_PREFIX}{str(problem['loc'][0]).upper()}"
    return f"{name}={problem['input']!r}: {reason[0].lower()}{reason[1:]}"


def _refuse_unknown(kind: type[ServingSettings], environ: Mapping[str, str]) -> None:
    known = {name.upper() for name in kind.model_fields}
    for variable in environ:
        name = variable.upper().removeprefix(ENV_PREFIX)
        if name == variable.upper() or name in known or name in kind.other_services:
            continue
        # "…_" so that DNS_RISK_PORT, a link to a Service "dns-risk", is recognised too.
        if _SERVICE_LINK.search(f"_{name}"):
            continue
        similar = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {ENV_PREFIX}{similar[0]}?" if similar else ""
        raise SystemExit(f"{variable}: no such setting of this service{hint}")
