"""Settings are read strictly."""

from __future__ import annotations

import pytest

from resolver.settings import UnusableSettings, read_settings


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("MODE", "on", "MODE: Input should be 'monitor', 'log' or 'block'"),
        ("MOED", "block", "MOED: no such setting; DNS_RISK_RESOLVER_MODE?"),
        ("BLOCK_THRESHOLD", "2", "BLOCK_THRESHOLD: Input should be less than or equal to 1"),
        ("RPZ_HOST", "0.0.0.0", "beyond loopback set rpz_tsig_key_file"),  # noqa: S104
        ("RPZ_NOTIFY", '["127.0.0.1"]', "expected HOST:PORT"),
        ("RPZ_NOTIFY", '["a b:53"]', "RPZ_NOTIFY: 'a b:53': expected HOST:PORT"),
        ("RPZ_NOTIFY", "localhost:53", r"RPZ_NOTIFY: expected JSON, such as \["),
        ("RPZ_ZONE", "..", "RPZ_ZONE: '..' is no name for a zone"),
        ("RPZ_ZONE", ".", "not the root"),
        ("RPZ_ZONE", "*.risk", "no wildcard"),
        ("DNSTAP_SOCKET", "", "DNSTAP_SOCKET: empty"),
        ("TRANSFORMER_CA_FILE", "/nowhere", "no certificates"),
        ("BLOCK_THRESHOLD", "nan", "BLOCK_THRESHOLD"),
        ("TRANSFORMER", "nowhere", "expected HOST:PORT"),
        ("TRANSFORMER", "1.2.3:80", "expected HOST:PORT"),
        ("GRAPH_STORE", "/tmp/x", "set passive_dns_dir, too"),  # noqa: S108
    ],
)
def test_what_is_wrong_is_said(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, complaint: str
) -> None:
    """The variable, what was expected and what came."""
    monkeypatch.setenv(f"DNS_RISK_RESOLVER_{variable}", value)
    with pytest.raises(UnusableSettings, match=complaint.replace("(", r"\(")):
        read_settings()


def test_the_default_blocks_nothing() -> None:
    """Monitor-only, on loopback, without files."""
    settings = read_settings()
    assert settings.mode == "monitor"
    assert {settings.rpz_host, settings.datagram_host, settings.http_host} == {"127.0.0.1"}
    assert settings.state_dir is settings.passive_dns_dir is settings.dnstap_socket is None
