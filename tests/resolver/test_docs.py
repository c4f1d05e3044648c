"""docs/resolvers.md lists what the sidecar has, and shows configurations that are those of the tests."""

from __future__ import annotations

from resolver.metrics import METRICS
from resolver.settings import ENV_PREFIX, Settings
from tests.end_to_end.documents import table_rows
from tests.serving.server_process import REPOSITORY

PAGE = REPOSITORY / "docs" / "resolvers.md"


def test_every_setting_is_listed_with_default_and_docstring() -> None:
    """In the words of the docstrings, no more and no less."""
    expected = {
        f"{ENV_PREFIX}{name.upper()}": [
            "unset" if field.default is None else f"`{field.default}`",
            field.description or "",
        ]
        for name, field in Settings.model_fields.items()
    }
    assert table_rows(PAGE, ENV_PREFIX) == expected


def test_every_metric_is_listed() -> None:
    """With its type, label and help."""
    expected = {metric.name: [metric.kind, metric.label, metric.text] for metric in METRICS}
    assert table_rows(PAGE, "dns_risk_resolver_") == expected


def test_what_it_tells_operators_to_write_is_what_is_tried() -> None:
    """Every line of a resolver's configuration that decides something stands in the tests' configuration, too."""
    tried = (REPOSITORY / "load_tests" / "bench_resolver" / "configurations.py").read_text()
    text = PAGE.read_text()
    for word in (
        "allow-notify", "dnstap-log-client-response-messages: yes", "dnstap-socket-path", "dnstap {", "dnstap-output unix",
        "qname-wait-recurse no min-update-interval 0", "min-refresh-time 1", "rpzPrimary(", "extendedErrorCode=15",
        "dnstapFrameStreamServer(", "packetcache-ttl=1", "modules.load('dns_risk < extended_error')", "log_responses = true",
    ):  # fmt: skip
        assert word in text, word
        assert word in tried.replace("{{", "{"), word
