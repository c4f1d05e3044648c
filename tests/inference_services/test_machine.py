"""What this machine gives the local services: environment variables and ports."""

from __future__ import annotations

import socket

from inference_services.machine import environment_of, taken_ports
from inference_services.processes import free_ports
from tests.serving.server_process import HOST


def test_a_service_sees_its_own_and_shared_settings_only() -> None:
    """Foreign and tool settings are left out; unknown ones stay, for the service to refuse them."""
    environ = {
        "PATH": "/bin",
        "DNS_RISK_LOG_LEVEL": "INFO",
        "DNS_RISK_DEVICE": "cpu",
        "DNS_RISK_BLOCK_THRESHOLD": "0.9",
        "DNS_RISK_SHARED": "../shared",
        "DNS_RISK_ANCHOR_MS": "100",
        "DNS_RISK_TYPO": "1",
    }
    shared = {"PATH", "DNS_RISK_LOG_LEVEL", "DNS_RISK_TYPO"}
    assert environment_of("predictor", environ).keys() == shared | {"DNS_RISK_DEVICE"}
    assert environment_of("transformer", environ).keys() == shared | {"DNS_RISK_BLOCK_THRESHOLD"}
    assert environment_of("explainer", environ).keys() == shared | {"DNS_RISK_ANCHOR_MS"}


def test_taken_and_doubled_ports_are_named() -> None:
    """A port somebody listens on is taken; of two names with one port the second is."""
    first, second = free_ports(2)
    with socket.create_server((HOST, 0)) as listener:
        ports = {"A": first, "B": listener.getsockname()[1], "C": second, "D": first}
        assert taken_ports(HOST, ports) == ["B", "D"]
    assert taken_ports(HOST, {"A": first, "C": second}) == []
