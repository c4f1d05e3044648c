from __future__ import annotations

import os
from typing import ClassVar

import pytest

from contract.feature_schema import FEATURE_SCHEMA
from contract.version import CONTRACT_VERSION
from serving.settings import ServingSettings, read_settings


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    # `make test` exports DNS_RISK_SHARED, which is no setting of a service.
    for name in list(os.environ):
        if name.startswith("DNS_RISK_"):
            monkeypatch.delenv(name)


class GraphSettings(ServingSettings):
    """Settings of a service with a field and a sibling's setting."""

    other_services: ClassVar[frozenset[str]] = frozenset({"CHECKPOINT"})
    max_batch_nodes: int = 4096


def refusal_of(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """The line that this environment ends the start with."""
    for name, value in environment.items():
        monkeypatch.setenv(f"DNS_RISK_{name}", value)
    with pytest.raises(SystemExit) as refused:
        read_settings(GraphSettings, {})
    return str(refused.value.code)


def test_environment_sets_and_flags_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag overrides the environment, which overrides the default."""
    monkeypatch.setenv("DNS_RISK_REST_PORT", "9001")
    monkeypatch.setenv("DNS_RISK_MAX_BATCH_NODES", "7")
    settings = read_settings(GraphSettings, {"rest_port": 9002, "predictor_host": "elsewhere"})
    assert (settings.rest_port, settings.max_batch_nodes, settings.grpc_port) == (9002, 7, 8081)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("REST_PORT", "0", "greater than or equal to 1"),
        ("REST_PORT", "many", "valid integer"),
        ("LOG_LEVEL", "LOUD", "'DEBUG'"),
        ("GRACE_S", "-1", "greater than or equal to 0"),
    ],
)
def test_impossible_value_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    """An impossible value ends the start with one line that names variable, value and limit."""
    message = refusal_of(monkeypatch, **{name: value})
    assert message.startswith(f"DNS_RISK_{name}={value!r}: ")
    assert reason in message
    assert "\n" not in message


def test_values_that_exclude_each_other_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ports on one number, or a default over its maximum, are refused."""
    assert "both 8081" in refusal_of(monkeypatch, REST_PORT="8081")
    assert "over max_deadline_ms" in refusal_of(monkeypatch, REST_PORT="1", MAX_DEADLINE_MS="1")


def test_misspelt_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is no setting is refused with the nearest one that is."""
    assert "did you mean DNS_RISK_REST_PORT?" in refusal_of(monkeypatch, REST_PROT="1")


def test_names_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of sibling services and Kubernetes' links to Services called dns-risk… stop nothing."""
    for name in (
        "CHECKPOINT",
        "PORT",
        "SERVICE_HOST",
        "PREDICTOR_PORT_8080_TCP_ADDR",
        "PREDICTOR_SERVICE_PORT_HTTP1",
    ):
        monkeypatch.setenv(f"DNS_RISK_{name}", "tcp://192.0.2.1:80")
    assert read_settings(GraphSettings, {}).rest_port == 8080


def test_settings_are_frozen() -> None:
    """Nobody changes settings after the start."""
    with pytest.raises(ValueError, match="frozen"):
        ServingSettings().rest_port = 1


@pytest.mark.parametrize("name", ["CONTRACT_VERSION", "FEATURE_SCHEMA"])
def test_a_manifest_of_another_release_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What the manifest states must be what the build has; the line says both."""
    message = refusal_of(monkeypatch, **{name: "of-another-release"})
    assert message.startswith(f"DNS_RISK_{name}='of-another-release': this build has ")


def test_a_manifest_of_this_release_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both stated as they are."""
    monkeypatch.setenv("DNS_RISK_CONTRACT_VERSION", CONTRACT_VERSION)
    monkeypatch.setenv("DNS_RISK_FEATURE_SCHEMA", FEATURE_SCHEMA)
    assert read_settings(GraphSettings, {}).feature_schema == FEATURE_SCHEMA
