"""`python -m explainer.report`, against a peer that answers as the explainer does."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from explainer.report import main
from explainer.report_page import page
from inference_services.processes import free_ports
from tests.explainer.report_samples import (
    Peer,
    by_rule,
    lone,
    peer,
    typical,
)
from tests.serving.server_process import REPOSITORY


@pytest.fixture(scope="module")
def service() -> Iterator[Peer]:
    """A peer that answers as the explainer does."""
    with peer() as answering:
        yield answering


def run(service: Peer | str, output: Path | str, *more: str) -> int:
    """The command's exit status."""
    url = service if isinstance(service, str) else service.url
    return main(["new-portal.example", "--explainer", url, "-o", str(output), *more])


def test_a_report_is_a_file(service: Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command asks once, writes the page, and prints where it is and the summary."""
    service.explains(typical())
    service.asked.clear()
    assert run(service, tmp_path / "report.html") == 0
    assert (tmp_path / "report.html").read_text() == page(typical())
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "report.html"), typical()["summary"]]
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]
    [(path, headers, body)] = service.asked
    assert path == "/v1/models/dns-risk:explain"
    assert headers["x-request-timeout-ms"] == "10000"
    parameters = {"method": "shap", "graph": True}
    assert body == {"instances": [{"domain": "new-portal.example"}], "parameters": parameters}


def test_everything_that_is_asked_for_is_sent(service: Peer, tmp_path: Path) -> None:
    """Answers, method, seed and timeout reach the explainer."""
    service.explains(by_rule())
    options = ("--answers", "A 11.0.2.1", "--method", "anchor", "--seed", "7", "--timeout", "2.5")
    assert run(service, tmp_path / "report.html", *options) == 0
    _, headers, body = service.asked[-1]
    assert body["instances"] == [{"domain": "new-portal.example", "answers": "A 11.0.2.1"}]
    assert body["parameters"] == {"method": "anchor", "graph": True, "seed": 7}
    assert headers["x-request-timeout-ms"] == "2500"


def test_a_report_to_standard_output(service: Peer) -> None:
    """With -o - the page is all that the command prints."""
    service.explains(lone())
    command = [sys.executable, "-m", "explainer.report", "a.test", "--explainer", service.url, "-o", "-"]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    assert done.stdout == page(lone()).encode()
    assert done.stderr == b""


REFUSALS = [
    (
        400,
        b'{"error": "instances[0].domain: not\\n a domain name"}',
        ": 400 Bad Request: instances[0].domain: not a",
    ),
    (504, b'{"error": "the deadline passed"}', ": 504 Gateway Timeout: the deadline passed"),
    (502, b"<html>proxy</html>", ": 502 Bad Gateway: <html>proxy</html>"),
    (500, b"", ": 500 Internal Server Error: no reason given"),
    (200, b"<html>", ": unexpected answer: expected explanations in a JSON object"),
    (200, b"[" * 100_000, ": unexpected answer: expected explanations in a JSON object"),
    (200, b'{"explanations": []}', ": unexpected answer: explanations: expected a list of one object"),
    (200, b'{"explanations": [{"method": "shap"}]}', ": unexpected answer: shap.domain: field required"),
]


@pytest.mark.parametrize(("status", "content", "message"), REFUSALS)
def test_refusals_are_one_line(
    service: Peer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    status: int,
    content: bytes,
    message: str,
) -> None:
    """Who refused, with which status and why; the report of before stays, and no other file is left."""
    service.status, service.content = status, content
    (tmp_path / "report.html").write_text("of before")
    assert run(service, tmp_path / "report.html") == 1
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith(service.url + message)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("report.html", "of before")]


def test_nobody_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody listens the command says so."""
    [port] = free_ports(1)
    assert run(f"http://127.0.0.1:{port}", tmp_path / "report.html") == 1
    assert re.fullmatch(rf"http://127.0.0.1:{port}: no answer: Connection refused\n", capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_nobody_waits_for_ever(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A service that accepts but never answers is given up soon after the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert run(url, tmp_path / "report.html", "--timeout", "0.01") == 1
    assert capsys.readouterr().err == f"{url}: no answer: timed out\n"


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("missing/report.html", "No such file or directory"),
        (".", "expected a file's name"),
        ("x" * 300, "File name too long"),
    ],
)
def test_where_nothing_can_be_written(
    service: Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, reason: str
) -> None:
    """An impossible output path is said with its reason, and leaves nothing behind."""
    service.explains(lone())
    assert run(service, tmp_path / output) == 1
    assert capsys.readouterr().err == f"{tmp_path / output}: {reason}\n"
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing(service: Peer, tmp_path: Path) -> None:
    """Where the page cannot be written to its end, neither it nor a part of it stays."""
    service.explains(lone())
    command = [sys.executable, "-m", "explainer.report", "a.test", "--explainer", service.url, "-o"]
    limited = ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", *command, str(tmp_path / "report.html")]
    done = subprocess.run(limited, cwd=REPOSITORY, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path / 'report.html'}: File too large\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options", [("--explainer", "file:///etc/passwd"), ("--timeout", "nan"), ("--method", "lime")]
)
def test_impossible_options_are_refused(options: tuple[str, str]) -> None:
    """Before anything is asked, with the status of a wrong command."""
    with pytest.raises(SystemExit, match="2"):
        main(["a.test", "-o", "-", *options])
