"""What the sidecar can be told, read once from the environment."""

from __future__ import annotations

import difflib
import os
import re
import ssl
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from resolver.places import host_and_port, is_loopback
from resolver.wire_names import NotAName, from_text, labels_of, to_text

ENV_PREFIX: Final = "DNS_RISK_RESOLVER_"
# Room for the names that stand in the zone.
_MAX_ZONE_OCTETS: Final = 128

Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """All of it; `DNS_RISK_RESOLVER_` and the field's name in capitals is its variable."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    transformer: str = "127.0.0.1:8081"
    """HOST:PORT of the transformer's gRPC, or of what is in front of it."""

    transformer_ca_file: Path | None = None
    """Certificates to trust; with them the transformer is asked over TLS."""

    deadline_ms: int = Field(1000, ge=10, le=60_000)
    """Milliseconds after which a call to the transformer has failed."""

    mode: Literal["monitor", "log", "block"] = "monitor"
    """What is published: nothing; names that resolvers log and let pass; names that they block."""

    block_threshold: float | None = Field(None, ge=0, le=1)
    """Score from which a name is blocked; unset: where the transformer says block."""

    monitor_threshold: float | None = Field(None, ge=0, le=1)
    """Score from which a name is worth a look; unset: where the transformer says monitor."""

    allowlist_file: Path | None = None
    """Names that are never blocked, one a line, each with all below it; read again on SIGHUP."""

    popular_domains: bool = True
    """Whether the popular registered domains shipped with the sidecar are never blocked either."""

    private_addresses: bool = False
    """Whether addresses of private networks (RFC 1918, RFC 6598, fc00::/7) are evidence, too."""

    dnstap_socket: Path | None = None
    """Unix socket that resolvers send dnstap to; unset: none."""

    datagram_host: str = "127.0.0.1"
    """Address of the datagram protocol."""

    datagram_port: Port = 5311
    """UDP port of the datagram protocol; 0: none."""

    datagram_socket: Path | None = None
    """Unix datagram socket of the same protocol; unset: none."""

    rpz_host: str = "127.0.0.1"
    """Address that resolvers transfer the zone from; another than loopback needs a key."""

    rpz_port: Port = 5310
    """Its port, UDP and TCP; 0: none."""

    rpz_zone: str = "rpz.risk"
    """Name of the response policy zone."""

    rpz_notify: Annotated[list[str], Field(max_length=16)] = []
    """HOST:PORT of resolvers to tell of changes, as a JSON list."""

    rpz_tsig_key_file: Path | None = None
    """File with a TSIG key that every transfer must be signed by, as tsig-keygen writes it."""

    block_ttl_s: int = Field(86_400, ge=1, le=30 * 86_400)
    """Seconds for which a name stays in the zone after it was last seen."""

    max_blocked: int = Field(100_000, ge=1, le=5_000_000)
    """Names in the zone; beyond that new ones are left out."""

    cache_names: int = Field(200_000, ge=1, le=20_000_000)
    """Scores that are remembered."""

    cache_ttl_s: int = Field(3600, ge=1, le=86_400)
    """Seconds for which they are."""

    max_pending: int = Field(20_000, ge=1, le=1_000_000)
    """Names that may wait to be scored; beyond that new ones are left out."""

    state_dir: Path | None = None
    """Folder where the zone and its serial outlive a restart; unset: they do not."""

    passive_dns_dir: Path | None = None
    """Folder for passive DNS of what resolvers answered; unset: none is kept."""

    passive_dns_rotate_s: int = Field(3600, ge=1, le=86_400)
    """Seconds from one file to the next."""

    passive_dns_keep_mb: int = Field(1024, ge=1, le=1 << 20)
    """Megabytes of files to keep; the oldest go first."""

    graph_store: Path | None = None
    """Graph store into which the kept files are imported after each rotation; unset: nobody imports them."""

    http_host: str = "127.0.0.1"
    """Address of /metrics and /healthz."""

    http_port: Port = 9353
    """Its port; 0: none."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe log lines to write."""

    @field_validator("rpz_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            name = from_text(value)
        except NotAName as why:
            raise ValueError(f"{value[:80]!r} is no name for a zone: {why}") from None
        if b"*" in labels_of(name):
            raise ValueError(f"{value[:80]!r}: a zone's name holds no wildcard")
        if not 0 < len(name) <= _MAX_ZONE_OCTETS:
            raise ValueError(
                f"{value[:80]!r}: expected a name of at most {_MAX_ZONE_OCTETS} octets, not the root"
            )
        return to_text(name)

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        if value == "":
            raise ValueError("empty: unset it, or give a value")
        return value

    @field_validator("transformer_ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                ssl.create_default_context(cafile=value)
            except OSError as error:
                raise ValueError(f"{value}: no certificates ({error.strerror or error})") from None
        return value

    @field_validator("rpz_notify")
    @classmethod
    def _addresses(cls, values: list[str]) -> list[str]:
        for value in values:
            host_and_port(value)
        return values

    @field_validator("transformer")
    @classmethod
    def _address(cls, value: str) -> str:
        host_and_port(value)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.rpz_port and self.rpz_tsig_key_file is None and not is_loopback(self.rpz_host):
            raise ValueError(f"rpz_host {self.rpz_host}: beyond loopback set rpz_tsig_key_file, too")
        if self.graph_store is not None and self.passive_dns_dir is None:
            raise ValueError("graph_store: set passive_dns_dir, too, whose files go into it")
        low, high = self.monitor_threshold, self.block_threshold
        if low is not None and high is not None and low > high:
            raise ValueError(f"monitor_threshold {low:g} is above block_threshold {high:g}")
        return self


class UnusableSettings(Exception):
    """A variable is unknown or out of range; the message says which and what was expected."""


def read_settings() -> Settings:
    """The settings of the environment.

    Raises:
        UnusableSettings: see there.
    """
    known = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(ENV_PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise UnusableSettings(f"{name}: no such setting{f'; {near[0]}?' if near else ''}")
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        raise UnusableSettings(_said(error.errors()[0])) from None


def _said(problem: ErrorDetails) -> str:
    said = problem["msg"].removeprefix("Value error, ")
    # A list that is no JSON: the environment's reader says which field, in words of its own.
    unread = re.match(r'error parsing value for field "(\w+)"', said)
    if unread:
        return f'{ENV_PREFIX}{unread[1].upper()}: expected JSON, such as ["127.0.0.1:53"]'
    name = "_".join(str(part) for part in problem["loc"][:1])
    return f"{ENV_PREFIX}{name.upper()}: {said}" if name else said
