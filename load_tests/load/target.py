"""Where the services answer: on this machine, or behind a cluster's ingress."""

from __future__ import annotations

import ipaddress
import os
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import model_validator

from load_tests.load.toml_file import Section

TOKEN_VARIABLE: Final = "DNS_RISK_LOAD_TOKEN"  # noqa: S105 - the variable's name
_SCHEMES: Final = {"http": 80, "https": 443}


class Target(Section):
    """Both addresses of a transformer, or of what is in front of it."""

    rest: str
    """URL, `https` for TLS"""
    grpc: str
    """URL, `https` for TLS; "" where only REST is asked"""
    host_header: str = ""
    """the name that an ingress routes by, also for TLS; "" for the URL's own"""
    ca_file: Path | None = None
    """certificates to trust instead of the system's"""
    connections: int = 8
    """of each protocol, kept open"""

    @model_validator(mode="after")
    def _usable(self) -> Target:
        for url in filter(None, (self.rest, self.grpc)):
            address_of(url)
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError(f"ca_file: no file {self.ca_file}")
        return self

    @property
    def authorization(self) -> dict[str, str]:
        """The header that carries the token; empty where there is none."""
        return {"authorization": f"Bearer {token()}"} if token() else {}

    @property
    def headers(self) -> dict[str, str]:
        """What every REST request carries for an ingress."""
        return ({"host": self.host_header} if self.host_header else {}) | self.authorization

    @property
    def local(self) -> bool:
        """Whether the services are on this machine, where their metrics can be read, too."""
        host = address_of(self.rest)[1]
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def address_of(url: str) -> tuple[bool, str, int]:
    """Whether it is TLS, the host and the port.

    >>> address_of("https://ingress.example.com")
    (True, 'ingress.example.com', 443)

    Raises:
        ValueError: it is no URL of a server; says what was expected.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"{url!r}: expected http://HOST:PORT or https://HOST:PORT")
    return parts.scheme == "https", parts.hostname, parts.port or _SCHEMES[parts.scheme]


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """A context that trusts the certificates of a file, or the system's."""
    return ssl.create_default_context(cafile=ca_file and str(ca_file))


def token() -> str:
    """What goes into `authorization: Bearer`, from the environment, as all see command lines; or ""."""
    return os.environ.get(TOKEN_VARIABLE, "")
