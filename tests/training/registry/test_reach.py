"""Tracking servers that are away, hang, or are none: one line, soon, before anything heavy is imported."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_services.processes import free_ports
from tests.serving.server_process import REPOSITORY
from tests.training.registry import servers
from tests.training.registry.servers import Handler, http, json, saying, serving
from training.__main__ import main
from training.registry.reach import flaw_of_answer, flaw_of_server

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's proxies, credentials or limits."""
    for name in (*PROXIES, "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


LOOP = http(302, "text/plain", "", "location: /again")
BROKEN: dict[str, tuple[Handler, str]] = {
    "hangs up": (servers.closing, "it closes the connection without an answer, is it https://?"),
    "another protocol": (saying(b"SSH-2.0-OpenSSH_9\r\n"), "it does not speak HTTP, is it https://?"),
    "octets": (saying(bytes(range(128, 256)) * 9 + b"\n"), "it does not speak HTTP, is it https://?"),
    "500": (saying(http(500, "text/html", "<h1>sorry</h1>")), "it answers 500: Internal Server Error"),
    "502": (saying(http(502, "text/html", "")), "it answers 502: Bad Gateway"),
    "503 with a reason": (saying(json('{"error_code": "X", "message": "no\\ndisk"}', 503)), "503: no disk"),
    "429": (saying(http(429, "text/plain", "", "retry-after: 100")), "it answers 429: Too Many Requests"),
    "404": (saying(http(404, "text/html; x=y", "<h1>")), "it answers 404 with text/html; x=y"),
    "a login page": (saying(http(200, "text/html", "<html>")), "it answers 200 with text/html"),
    "another JSON": (saying(json("{}")), "no MLflow server: it answers 200 with application/json"),
    "no object": (saying(json("[[]]")), "no MLflow server: it answers 200 with application/json"),
    "no JSON": (saying(json("{")), "no MLflow server: it answers 200 with application/json"),
    "deep JSON": (saying(json("[" * 100_000)), "no MLflow server: it answers 200 with application/json"),
    "no content": (saying(b"HTTP/1.1 204 No\r\n\r\n"), "it answers 204 with no content type"),
    "redirects": (saying(LOOP), "it redirects without end"),
    "not gzip": (
        saying(http(200, "text/html", "<", "content-encoding: gzip")),
        "no MLflow server: it answers 200 with text/html",
    ),
    "cut off": (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{"), "no answer within 1 s"),
    "silent": (servers.silent, "no answer within 1 s"),
    "dripping": (servers.dripping, "no answer within 1 s"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_server_that_is_no_registry_is_told_in_one_line(
    case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 2 and what is wrong with it, without its password."""
    handler, said = BROKEN[case]
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1" if "within 1 s" in said else "20")
    with serving(handler) as uri:
        secret = uri.replace("://", "://user:secret@")
        for command in (["registry", "list"], ["track", "models/dns-risk/2"]):
            assert main([*command, "--tracking_uri", secret]) == 2
            refused = capsys.readouterr().err
            assert refused.startswith(f"{uri}: ")
            assert said in refused
            assert refused.count("\n") == 1


def test_addresses_that_lead_nowhere_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens, no such name, no such kind of address."""
    port = free_ports(1)[0]
    for uri, said in {
        f"http://127.0.0.1:{port}": "nobody listens there",
        f"https://127.0.0.1:{port}/under/": "nobody listens there",
        "http://no-such-host.invalid": "the name does not resolve",
        f"http://{'a' * 64}.example": "no name of a host",
        **dict.fromkeys(
            (
                "http://",
                "http://127.0.0.1:99999",
                "http://127.0.0.1:x",
                "http://u:secret@[::1",
                "http://a b",
                "http://a\tb",
                "http:/a",
                "HTTP:a",
                "",
                "databricks",
                "127.0.0.1:5000",
            ),
            "expected sqlite:///FILE or http(s)://…",
        ),
    }.items():
        assert main(["registry", "list", f"--tracking_uri={uri}"]) == 2
        refused = capsys.readouterr().err
        assert said in refused
        assert refused.count("\n") == 1
        assert "secret" not in refused


def test_tls_that_does_not_fit_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """TLS spoken to a plain server, plain HTTP to one of TLS, and a certificate that nobody has signed."""
    context = servers.certificate(tmp_path)
    plain = saying(json("{}"))
    for handler, scheme, said in (
        (plain, "https", "it does not speak TLS as expected, is it http://?"),
        (servers.over_tls(context, plain), "http", "is it https://?"),
        (servers.over_tls(context, plain), "https", "its certificate is not trusted: self"),
    ):
        with serving(handler, scheme) as uri:
            assert main(["registry", "list", "--tracking_uri", uri]) == 2
            refused = capsys.readouterr().err
            assert said in refused
            assert refused.count("\n") == 1


def test_a_certificate_is_trusted_as_mlflow_trusts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the file that MLflow is given, or not checked where MLflow is told so."""
    handler = servers.over_tls(servers.certificate(tmp_path), saying(servers.UNTRACKED))
    with serving(handler, "https") as uri:
        assert "not trusted" in flaw_of_server(uri, "m", 20.0, print)
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(tmp_path / "certificate.pem"))
        assert flaw_of_server(uri, "m", 20.0, print) == ""
        monkeypatch.delenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
        monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
        with pytest.warns(match="Unverified HTTPS request"):
            assert flaw_of_server(uri, "m", 20.0, print) == ""


def test_a_server_that_is_slow_is_waited_for() -> None:
    """It is said that there is waiting, and then the answer counts."""
    told: list[str] = []
    noticed = threading.Event()

    def say(text: str) -> None:
        told.append(text)
        noticed.set()

    with serving(saying(servers.UNTRACKED, before=noticed.wait)) as uri:
        assert flaw_of_server(uri, "m", 60.0, say) == ""
    assert told == ["no answer yet, waiting up to 60 s"]


def test_nothing_heavy_is_imported_for_a_server_that_is_away() -> None:
    """Neither torch nor MLflow: each is seconds of silence."""
    uri = f"http://127.0.0.1:{free_ports(1)[0]}"
    script = (
        "import sys; from training.__main__ import main; "
        f"status = main(['registry', 'list', '--tracking_uri', '{uri}']); "
        "print(status, sorted({'torch', 'mlflow', 'matplotlib', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert (done.stdout, done.stderr) == ("2 []\n", f"{uri}: nobody listens there\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon"),
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "0"),
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "1.5"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "-1"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9" * 50),
    ],
)
def test_limits_that_cannot_be_used_are_told(
    name: str, value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line that names the variable."""
    monkeypatch.setenv(name, value)
    assert main(["registry", "list", "--tracking_uri", "http://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err.startswith(f"{name}: expected a whole number from")


@given(st.integers(100, 599), st.text(max_size=30), st.binary(max_size=60) | st.just(b'{"message": {}}'))
def test_any_answer_is_a_registry_or_one_line(status: int, kind: str, body: bytes) -> None:
    """Whatever comes is judged, and what is said of it is short and has no line breaks."""
    flaw = flaw_of_answer(status, kind, body, known=False)
    assert len(flaw) < 300
    assert flaw.isprintable()


@contextmanager
def registry(*answers: bytes, pause_s: float = 0.0) -> Iterator[str]:
    """A server that says these."""
    with serving(saying(*answers, before=lambda: threading.Event().wait(pause_s))) as uri:
        yield uri


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_empty_registry_is_listed_however_slow_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Every answer takes longer than what is waited for in silence: it is listed, with status 0."""
    with registry(servers.UNTRACKED, servers.UNTRACKED, json("{}"), pause_s=2.5) as uri:
        assert main(["registry", "list", "--tracking_uri", uri]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("| version |")
    assert shown.err == f"{uri}: no answer yet, waiting up to 20 s\n"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "later",
    [
        json('{"registered_model": 5}'),
        json('{"registered_model": {"aliases": [5]}}'),
        json("[]"),
        http(200, "text/html", "<html>"),
        http(401, "text/plain", "who?"),
        b"\r\n\r\n",
    ],
)
def test_what_breaks_later_is_one_line_too(later: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that answers the first question well and the next ones with anything else."""
    with registry(servers.UNTRACKED, later) as uri:
        assert main(["registry", "list", "--tracking_uri", uri]) == 2
    refused = capsys.readouterr().err
    assert refused.startswith(f"{uri}: ")
    assert refused.count("\n") == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_retries_are_the_users_to_ask_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where MLflow is told to try again it does, and that is said first."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with registry(http(503, "text/html", ""), servers.UNTRACKED, json("{}")) as uri:
        assert main(["registry", "list", "--tracking_uri", uri]) == 0
    assert "tried again up to 1 times" in capsys.readouterr().err
