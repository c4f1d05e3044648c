"""What this machine gives the local services: their environment variables and their ports."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Final

from explainer.settings import ExplainerSettings
from predictor.settings import PredictorSettings
from serving.settings import ENV_PREFIX, ServingSettings
from transformer.settings import TransformerSettings

SERVICES: Final[Mapping[str, type[ServingSettings]]] = {
    "predictor": PredictorSettings,
    "transformer": TransformerSettings,
    "explainer": ExplainerSettings,
}
# Read by the Makefile, training and tests; a service refuses a variable that it does not know.
_OF_TOOLS: Final = frozenset({f"{ENV_PREFIX}SHARED"})


def environment_of(service: str, environ: Mapping[str, str]) -> dict[str, str]:
    """This environment without the settings that only other services, or tools, understand.

    >>> environment_of("predictor", {"DNS_RISK_BLOCK_THRESHOLD": "0.9", "DNS_RISK_DEVICE": "cpu"})
    {'DNS_RISK_DEVICE': 'cpu'}
    """
    others = {name for kind in SERVICES.values() for name in _variables(kind)} | _OF_TOOLS
    foreign = others.difference(_variables(SERVICES[service]))
    return {name: value for name, value in environ.items() if name.upper() not in foreign}


def _variables(kind: type[ServingSettings]) -> Iterator[str]:
    return (f"{ENV_PREFIX}{name.upper()}" for name in kind.model_fields)


def taken_ports(host: str, ports: Mapping[str, int]) -> list[str]:
    """The names of those ports that cannot be listened on now, or that another name has as well."""
    taken = []
    with ExitStack() as probes:
        for name, port in ports.items():
            probe = probes.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                probe.listen()
            except OSError:
                taken.append(name)
    return taken
