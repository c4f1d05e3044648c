"""`python -m load_tests.load` against real services: the report, the verdict, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from inference_services.processes import free_ports
from load_tests.load.profile import PROFILES
from load_tests.waiting import poll
from tests.nginx_process import Nginx, frame
from tests.services import import_passive_dns, metric, predictor, transformer
from tests.serving.server_process import HOST, REPOSITORY, ServerProcess

COMMAND = [sys.executable, "-m", "load_tests.load"]
# Whether this machine is quick is not what is tested.
SLO = "[requests]\navailability = 0.999\n[latency_ms]\np99 = 100000\n[generator]\nlag_p99_ms = 100000\n"
INGRESS = "dns-risk.example.com"
BEARER = "of-this-test"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(
    risk_predictor: ServerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A transformer with the sample graph, and its predictor's metrics page beside it."""
    store = tmp_path_factory.mktemp("store")
    import_passive_dns(store, REPOSITORY / "examples" / "passive_dns.jsonl")
    with transformer(risk_predictor.grpc_port, store) as process:
        yield process


@pytest.fixture
def objectives(tmp_path: Path) -> Path:
    """An SLO file."""
    path = tmp_path / "slo.toml"
    path.write_text(SLO)
    return path


def command(target: ServerProcess, folder: Path, objectives: Path, *more: str) -> list[str]:
    """The command line of a run against one transformer."""
    addresses = ("--rest", target.rest_url, "--grpc", f"http://{target.grpc_target}")
    return [*COMMAND, *more, *addresses, "--slo", str(objectives), "--output", str(folder / "report")]


def finished(line: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """One run to its end."""
    return subprocess.run(
        line, cwd=REPOSITORY, capture_output=True, text=True, check=False, env=os.environ | environment
    )


def seen(server: ServerProcess) -> float:
    """Names that a transformer has scored."""
    return metric(server, 'dns_risk_domains_total{outcome="scored"}')


def document(folder: Path) -> dict[str, Any]:
    """What the report says."""
    return json.loads((folder / "report" / "report.json").read_text())


def test_both_protocols_are_asked_and_the_report_shows_it(
    served: ServerProcess, risk_predictor: ServerProcess, objectives: Path, tmp_path: Path
) -> None:
    """Every request is answered, every objective met, and pictures, tables and service metrics are in the page."""
    metrics = ("--metrics", f"predictor={risk_predictor.rest_url}/metrics")
    more = ("--metrics", f"transformer={served.rest_url}/metrics", "--workers", "2")
    run = finished(
        command(served, tmp_path, objectives, "steady", "--seconds", "5", "--scale", "0.3", *metrics, *more)
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "objectives: met" in run.stdout
    said = document(tmp_path)
    assert set(said["judged"]["by_code"]) == {"200", "OK"}
    assert said["judged"]["good"] == said["judged"]["requests"] > 100
    assert {"predictor", "transformer"} <= set(said["servers"]["memory, MiB"])
    assert "graphs a batch" in said["servers"]
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<svg") == 3
    assert "availability" in page
    assert not re.search(r"""(?:src|href)=["']https?:""", page), "it opens where nothing else is at hand"


def test_a_knee_is_searched_for(served: ServerProcess, objectives: Path, tmp_path: Path) -> None:
    """Steps go up until they are not followed, then past that; goodput over the rate is drawn."""
    profile = tmp_path / "own.toml"
    text = (PROFILES / "ramp-to-knee.toml").read_text()
    for line in ("step_s = 6", "settle_s = 1", "factor = 1.5", "refinements = 2"):
        assert line in text
    text = text.replace("step_s = 6", "step_s = 0.6").replace("settle_s = 1", "settle_s = 0.1")
    profile.write_text(
        text.replace("factor = 1.5", "factor = 8").replace("refinements = 2", "refinements = 0")
    )
    run = finished(command(served, tmp_path, objectives, str(profile), "--scale", "0.1"))
    said = document(tmp_path)
    assert run.returncode in (0, 2), run.stdout + run.stderr
    assert len(said["knee"]["steps"]) >= 1
    assert "offered/s" in (tmp_path / "report" / "report.html").read_text()
    if said["verdict"] == "met":
        assert [step["knees"] for step in said["knee"]["past"]] == [1.0, 2.0, 3.0]


def test_a_predictor_that_goes_away_breaks_the_objectives(
    model_dir: Path, objectives: Path, tmp_path: Path
) -> None:
    """Its refusals are counted by code on both protocols, and the exit status is 1."""
    store = tmp_path / "store"
    import_passive_dns(store, REPOSITORY / "examples" / "passive_dns.jsonl")
    with predictor(model_dir) as scorer, transformer(scorer.grpc_port, store) as front:
        line = command(front, tmp_path, objectives, "steady", "--seconds", "4", "--scale", "0.2")
        run = subprocess.Popen(
            line, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        poll(lambda: seen(front) > 20, limit_s=30)
        scorer.process.kill()
        out, err = run.communicate(timeout=60)
    assert run.returncode == 1, out + err
    codes = document(tmp_path)["judged"]["by_code"]
    assert {"503", "UNAVAILABLE"} <= set(codes), codes
    assert "BROKEN availability" in out
    assert (tmp_path / "report" / "report.html").read_text().count("<svg") >= 3


def test_ctrl_c_ends_early_with_a_report(served: ServerProcess, objectives: Path, tmp_path: Path) -> None:
    """What was asked until then is in it, nothing is judged, and the exit status is that of Ctrl-C."""
    line = command(served, tmp_path, objectives, "soak", "--seconds", "600")
    run = subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    before = seen(served)
    poll(lambda: seen(served) > before + 20, limit_s=30)
    began_s = time.monotonic()
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert time.monotonic() - began_s < 30
    assert run.returncode == 130, out + err
    assert "Traceback" not in err
    assert document(tmp_path)["verdict"] == "not judged: stopped early"
    assert document(tmp_path)["windows"][0]["good"] > 0


def test_an_ingress_is_reached_by_host_and_tls(
    served: ServerProcess, objectives: Path, tmp_path: Path
) -> None:
    """Behind a proxy that routes one host name, with a certificate of an authority that must be trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert(INGRESS)
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    [port] = free_ports(1)
    proxy = Nginx(tmp_path / "nginx", ingress(tmp_path, port, served))
    try:
        address = f"https://{HOST}:{port}"
        options = ("--rest", address, "--grpc", address, "--ca_file", str(tmp_path / "ca.pem"))
        line = [*COMMAND, "steady", *options, "--seconds", "3", "--scale", "0.2", "--slo", str(objectives)]
        line += ["--output", str(tmp_path / "report")]
        run = finished([*line, "--host_header", INGRESS], DNS_RISK_LOAD_TOKEN=BEARER)
        elsewhere = finished([*line, "--host_header", "other.example.com"])
        untoken = finished([*line, "--host_header", INGRESS])
    finally:
        proxy.stop()
    assert run.returncode == 0, run.stdout + run.stderr
    assert set(document(tmp_path)["judged"]["by_code"]) == {"200", "OK"}
    assert BEARER not in (tmp_path / "report" / "report.json").read_text()
    assert elsewhere.returncode == 2
    assert "certificate" in elsewhere.stderr.lower()
    assert untoken.returncode == 2
    assert "answered 401" in untoken.stderr


def ingress(folder: Path, port: int, target: ServerProcess) -> str:
    """A proxy with one virtual host, TLS, and a token to show."""
    pem = folder / "server.pem"
    content = f"""\
    ssl_certificate {pem};
    ssl_certificate_key {pem};
    server {{ listen {HOST}:{port} ssl http2 default_server; return 421; }}
    server {{
        listen {HOST}:{port} ssl http2;
        server_name {INGRESS};
        if ($http_authorization != "Bearer {BEARER}") {{ return 401; }}
        location /inference. {{ grpc_pass grpc://{target.grpc_target}; }}
        location / {{ proxy_http_version 1.1; proxy_pass {target.rest_url}; }}
    }}"""
    return frame(folder / "nginx", content)


@pytest.mark.skipif(not shutil.which("hey"), reason="hey is not installed")
def test_the_command_for_hey_is_answered(served: ServerProcess) -> None:
    """The command line of the document, for fewer requests: every one is answered 200."""
    text = (REPOSITORY / "docs" / "load-testing.md").read_text()
    [shown] = re.findall(r"^\$ (hey .*?/infer)$", text, re.MULTILINE | re.DOTALL)
    words = shlex.split(shown.replace("\\\n", " ").replace("http://127.0.0.1:8080", served.rest_url))
    assert words[1:3] == ["-z", "30s"]
    words[1:3] = ["-n", "64"]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    assert re.search(r"\[200\]\s+64 responses", run.stdout), run.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nowhere",), "no profile nowhere"),
        (("steady", "--rest", "nowhere:80"), "expected http://HOST:PORT"),
        (("steady", "--workers", "0"), "--workers 0: expected 1 to 64"),
        (("steady", "--metrics", "predictor"), "expected SERVICE=http://HOST:PORT/metrics"),
        (("steady", "--query_log", "/nowhere.csv"), "No such file"),
        (("steady", "--slo", "/nowhere.toml"), "No such file"),
        (("steady", "--ca_file", "/nowhere.pem"), "no file /nowhere.pem"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    served: ServerProcess, objectives: Path, tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    """Exit status 2, and nothing is sent."""
    line = [*command(served, tmp_path, objectives), *arguments]
    run = finished(line)
    assert run.returncode == 2, run.stdout + run.stderr
    assert complaint in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


def test_nobody_there_says_how_to_start(objectives: Path, tmp_path: Path) -> None:
    """The address, and the command that starts the services."""
    address = f"http://{HOST}:{free_ports(1)[0]}"
    run = finished(
        [*COMMAND, "steady", "--rest", address, "--slo", str(objectives), "--output", str(tmp_path)]
    )
    assert run.returncode == 2
    assert address in run.stderr
    assert "make run" in run.stderr
