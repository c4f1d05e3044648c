"""Labelled names are scored by both versions, and counted by what was done with them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from inference_services.processes import free_ports
from rollout.feedback import UnusableFeedback, read_feedback
from tests.end_to_end.local_run import local_run
from tests.polling import until
from tests.services import SHIPPED_MODEL
from tests.serving.server_process import REPOSITORY

ROWS = '{"domain": "www.wikipedia.org", "label": "benign"}\n{"domain": "kq3v9z7x1p8w.com", "label": "malicious"}\n'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "expected an object"),
        ('{"domain": "a.test"}', "expected an object"),
        ('{"domain": "a", "label": "bad"}', "'bad'"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str, said: str) -> None:
    """With its number."""
    (tmp_path / "labels.jsonl").write_text(ROWS + line)
    with pytest.raises(UnusableFeedback, match=r"labels\.jsonl:3: ") as refused:
        list(read_feedback(tmp_path / "labels.jsonl"))
    assert said in str(refused.value)


@pytest.mark.slow
def test_both_versions_are_asked_and_one_that_is_away_is_not_missed(tmp_path: Path) -> None:
    """The stable version's actions are counted by label, while the canary is not there."""
    (tmp_path / "labels.jsonl").write_text(ROWS)
    port = free_ports(1)[0]
    with local_run(SHIPPED_MODEL, tmp_path / "store") as services:
        places = [
            "--stable",
            f"http://{services.rest}",
            "--canary",
            "http://127.0.0.1:9",
            "--port",
            str(port),
        ]
        command = [
            sys.executable,
            "-m",
            "rollout",
            "feedback",
            str(tmp_path / "labels.jsonl"),
            *places,
            "--every",
            "1",
        ]
        with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL) as process:
            until(lambda: _open(port), "the exporter answers")
            until(
                lambda: 'label="malicious"' in httpx.get(f"http://127.0.0.1:{port}/metrics").text,
                "it has counted",
            )
            exported = httpx.get(f"http://127.0.0.1:{port}/metrics").text
            process.kill()
    assert 'dns_risk_feedback_total{action="allow",isvc="dns-risk",label="benign"}' in exported
    assert 'isvc="dns-risk-canary"' not in exported


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
