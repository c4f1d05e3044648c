"""Where others are: HOST:PORT in a setting, with an address or a name."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_HOST_AND_PORT: Final = re.compile(
    r"(?:\[(?P<address>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[^:\[\]]+)):(?P<port>[0-9]{1,5})"
)
# A last label of digits alone would be half an address.
_HOST_NAME: Final = re.compile(
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*(?![0-9]+\.?$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?"
)


def host_and_port(text: str) -> tuple[str, int]:
    """The two parts of HOST:PORT.

    >>> host_and_port("[::1]:53")
    ('::1', 53)

    Raises:
        ValueError: it is none.
    """
    found = _HOST_AND_PORT.fullmatch(text)
    if (
        found is None
        or not 0 < int(found["port"]) < 1 << 16
        or not _is_host(found["address"] or found["name"])
    ):
        raise ValueError(f"{text[:80]!r}: expected HOST:PORT")
    return found["address"] or found["name"], int(found["port"])


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST_NAME.fullmatch(text) is not None and len(text) < 254
    return True


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine is at an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
