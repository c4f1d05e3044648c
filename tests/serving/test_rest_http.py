"""HTTP itself (RFC 9110, RFC 9112), byte by byte over a socket to a real server."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import zlib

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.server_process import HOST, ServerProcess
from tests.serving.v2_requests import INFER, document

BODY = json.dumps(document()).encode()
LENGTH = f"Content-Length: {len(BODY)}"


def spoken(server: ServerProcess, line: str, *headers: str, body: bytes = b"") -> tuple[int, str, bytes]:
    """Status, head and body of the answer to a request written as it is given here."""
    host = () if any(header.lower().startswith("host:") for header in headers) else ("Host: dns-risk",)
    told = "".join(f"{header}\r\n" for header in (*host, "Connection: close", *headers))
    with socket.create_connection((HOST, server.rest_port), timeout=20) as connection:
        connection.sendall(f"{line}\r\n{told}\r\n".encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), head.decode().lower(), rest


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        ("POST {} HTTP/1.1", [LENGTH]),
        ("POST {} HTTP/1.0", [LENGTH]),
        ("POST http://dns-risk{} HTTP/1.1", [LENGTH]),
        ("POST {}?any=thing&x HTTP/1.1", [LENGTH]),
        ("POST {}?%00=%ff HTTP/1.1", [LENGTH]),
        ("POST {} HTTP/1.1", [LENGTH.upper()]),
        ("POST {} HTTP/1.1", [LENGTH.lower()]),
        ("POST {} HTTP/1.1", [LENGTH.replace(": ", ":   ") + "  "]),
        ("POST {} HTTP/1.1", [LENGTH.replace(": ", ": 000")]),
        ("POST {} HTTP/1.1", [LENGTH, "Content-Type: application/json"]),
        ("POST {} HTTP/1.1", [LENGTH, 'CONTENT-TYPE: Application/JSON ; Charset="UTF-8"; x=y']),
        ("POST {} HTTP/1.1", [LENGTH, "Content-Type: application/x-www-form-urlencoded"]),
        ("POST {} HTTP/1.1", [LENGTH, "Content-Type: nonsense"]),
        ("POST {} HTTP/1.1", [LENGTH, "Content-Encoding:"]),
        ("POST {} HTTP/1.1", [LENGTH, "Content-Encoding: IDENTITY"]),
        ("POST {} HTTP/1.1", [LENGTH, "Content-Encoding: identity", "Content-Encoding: ,identity,"]),
        ("POST {} HTTP/1.1", [LENGTH, "Accept: text/html;q=0.1, */*;q=0"]),
        ("POST {} HTTP/1.1", [LENGTH, "Accept: application/json;q=1.0000"]),
        ("POST {} HTTP/1.1", [LENGTH, "Accept-Encoding: br;q=1.0, gzip;q=0.5, *;q=0"]),
        ("POST {} HTTP/1.1", [LENGTH, "Accept-Encoding:"]),
        ("POST {} HTTP/1.1", [LENGTH, "Accept-Charset: utf-16"]),
        ("POST {} HTTP/1.1", [LENGTH, "TE: trailers"]),
        ("POST {} HTTP/1.1", [LENGTH, "X-REQUEST-TIMEOUT-MS: 5000"]),
        ("POST {} HTTP/1.1", [LENGTH, "x-request-timeout-ms: \t0005000 "]),
        ("POST {} HTTP/1.1", [LENGTH, "Content-Encoding: identity \t"]),
        ("POST {} HTTP/1.1", [LENGTH, f"Inference-Header-Content-Length: {len(BODY)} "]),
        ("POST {} HTTP/1.1", [LENGTH, "Expect: 100-continue"]),
        ("POST {} HTTP/1.1", [LENGTH, "EXPECT: 100-Continue"]),
    ],
)
def test_what_http_allows_is_served(echo: ServerProcess, line: str, headers: list[str]) -> None:
    """Case of names, media types, codings and weights, absolute targets and queries hinder nobody."""
    status, _, rest = spoken(echo, line.format(INFER), *headers, body=BODY)
    if status == 100:
        head, _, rest = rest.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
    assert status == 200
    assert json.loads(rest)["model_name"] == "echo"


def chunked(body: bytes) -> bytes:
    return b"".join(
        [b"%X;x=y\r\n" % 10, body[:10], b"\r\n%x\r\n" % len(body[10:]), body[10:], b"\r\n0\r\n\r\n"]
    )


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "CHUNKED"])
def test_chunks_are_joined_however_their_coding_is_written(echo: ServerProcess, coding: str) -> None:
    """Transfer-Encoding is compared without case; chunk extensions are passed over."""
    told = f"Transfer-Encoding: {coding}"
    assert spoken(echo, f"POST {INFER} HTTP/1.1", told, body=chunked(BODY))[0] == 200


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("Content-Encoding: GZIP", gzip.compress(BODY)),
        ("Content-Encoding: X-GZip", gzip.compress(BODY)),
        ("content-encoding: Deflate", zlib.compress(BODY)),
        ("Content-Encoding: ,gzip , ,identity,", gzip.compress(BODY)),
        ("Content-Encoding: gzip, gzip", gzip.compress(gzip.compress(BODY))),
        ("Content-Encoding: deflate\r\nContent-Encoding: GZIP", gzip.compress(zlib.compress(BODY))),
        ("Content-Encoding: gzip", gzip.compress(BODY[:9]) + gzip.compress(BODY[9:])),
    ],
)
def test_content_codings_are_undone(echo: ServerProcess, coding: str, body: bytes) -> None:
    """In any case, as a list, over several headers, the last one first."""
    length = f"Content-Length: {len(body)}"
    assert spoken(echo, f"POST {INFER} HTTP/1.1", coding, length, body=body)[0] == 200


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        ("post {} HTTP/1.1", [LENGTH]),
        ("BREW {} HTTP/1.1", [LENGTH]),
        ("POST {} HTTP/9.1", [LENGTH]),
        ("POST {} HTTP/1.1", ["Content-Length: -5"]),
        ("POST {} HTTP/1.1", ["Content-Length: +5"]),
        ("POST {} HTTP/1.1", ["Content-Length: 5, 5"]),
        ("POST {} HTTP/1.1", ["Content-Length: 0x5"]),
        ("POST {} HTTP/1.1", ["Content-Length: 5", "Content-Length: 6"]),
        ("POST {} HTTP/1.1", ["Content-Length: " + "9" * 40]),
        ("POST {} HTTP/1.1", [LENGTH, "Transfer-Encoding: chunked"]),
        ("POST {} HTTP/1.1", [LENGTH, "Content-Encoding: br"]),
        ("POST {} HTTP/1.1", [LENGTH, "Content-Encoding: gzip"]),
        ("POST {} HTTP/1.1", [LENGTH, "x-request-timeout-ms: 100", "X-Request-Timeout-Ms: 5000"]),
        ("POST {} HTTP/1.1", [LENGTH, "x-request-timeout-ms: 5s"]),
        ("POST {} HTTP/1.1", [LENGTH, "Inference-Header-Content-Length: 10, 20"]),
        ("POST {} HTTP/1.1", [LENGTH, f"Inference-Header-Content-Length: +{len(BODY)}"]),
        ("CONNECT dns-risk:443 HTTP/1.1", [LENGTH]),
    ],
)
def test_what_is_no_request_is_refused(echo: ServerProcess, line: str, headers: list[str]) -> None:
    """What contradicts itself or HTTP is the caller's fault, at once, and nobody else's."""
    status, _, _ = spoken(echo, line.format(INFER), *headers, body=BODY)
    assert status in {400, 404, 413}
    assert echo.status_of("/v2/health/ready") == 200


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (INFER, "POST"),
        ("/v2/models/echo/versions/7/infer", "POST"),
        ("/v1/models/echo:predict", "POST"),
        ("/v1/models/echo", "GET, HEAD"),
        ("/v2/models/echo", "GET, HEAD"),
        ("/v2/health/ready", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
    ],
)
def test_other_methods_are_told_which_there_are(http: httpx.Client, path: str, allowed: str) -> None:
    """RFC 9110, 15.5.6: 405 comes with Allow, for every method that the path has not."""
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - set(
        allowed.split(", ")
    ):
        answer = http.request(method, path)
        assert (answer.status_code, answer.headers.get("allow")) == (405, allowed), method
        assert method == "HEAD" or answer.json()["error"] == "method not allowed"


@pytest.mark.parametrize(
    "path", ["/v2/health/ready", "/v2/models/echo", "/metrics", "/v2", "/v1/models/echo"]
)
def test_head_is_get_without_its_body(http: httpx.Client, path: str) -> None:
    """RFC 9110, 9.3.2."""
    got, headed = http.get(path), http.head(path)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    assert headed.headers["content-type"] == got.headers["content-type"]
    assert int(headed.headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("text/plain; version=x", "text/plain"),
        ("text/plain; version=", "text/plain"),
        ("text/plain;version=1.x", "text/plain"),
        ("text/plain;version=0.0.4;q=0.3", "text/plain"),
        ("application/openmetrics-text", "application/openmetrics-text"),
        ("Application/OpenMetrics-Text; Version=1.0.0; Charset=utf-8", "application/openmetrics-text"),
        ("application/openmetrics-text;version=1.0.0;q=0, text/plain", "text/plain"),
        ("application/openmetrics-text;q=0.000", "text/plain"),
        ("application/openmetrics-text;version=1.0.0\u00e9", "text/plain"),
        ("application/openmetrics-text;version=" + "9" * 5000, "text/plain"),
        (",;=,;version;q,", "text/plain"),
    ],
)
def test_metrics_come_whatever_is_accepted(http: httpx.Client, accept: str, expected: str) -> None:
    """A scraper that asks for what nobody knows gets plain text, not an error."""
    answer = http.get("/metrics", headers={"accept": accept.encode("latin-1")})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(expected)
    assert "dns_risk_requests_total" in answer.text


def test_curl_waits_for_leave_and_compresses(echo: ServerProcess) -> None:
    """curl with `Expect` sends its body when it is told to; a gzip made by gzip is read."""  # noqa: D403
    url = f"{echo.rest_url}{INFER}"
    waits = ["-H", "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary", "@-"]
    plain = subprocess.run(
        ["curl", "-sS", "--fail", *waits, url], input=BODY, check=True, capture_output=True, timeout=20
    )
    assert json.loads(plain.stdout)["model_name"] == "echo"
    packed = subprocess.run(["gzip", "-c"], input=BODY, check=True, capture_output=True).stdout
    coding = ["-H", "Content-Encoding: GZIP", "--compressed", "--data-binary", "@-"]
    answer = subprocess.run(
        ["curl", "-sS", "--fail", *coding, url], input=packed, check=True, capture_output=True, timeout=20
    )
    assert json.loads(answer.stdout)["model_name"] == "echo"


def test_a_slash_at_the_end_is_no_other_path(http: httpx.Client) -> None:
    """It is answered at once, not redirected to a Host that anybody may have written."""
    headers = {"host": "elsewhere.example"}
    for path in ("/v2/", "/v2/models/echo/", "/v2/health/ready/", "/v1/models/echo/"):
        assert http.get(path, headers=headers).status_code == 200
    assert http.post(f"{INFER}/", content=BODY, headers=headers).status_code == 200
    assert http.get("/v2//", headers=headers).status_code == 404
    assert http.get(f"{INFER}/").headers["allow"] == "POST"


_PLACES = ("", "v1", "v2", "models", "echo", "other", "versions", "7", "infer", "ready", "health", "metrics")
_ODD = (":", "echo:predict", "echo:x:y", "%00", "%2F", "..", "%ff", "%", "%0d%0ax:y", "{model}", "a" * 3000)
SEGMENTS = st.sampled_from(_PLACES) | st.sampled_from(_ODD)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
    st.lists(SEGMENTS, max_size=7),
    st.sampled_from(["", "?", "?a=b", "?%00", "?" + "a=b&" * 500, "#x", ";a"]),
    st.sampled_from(["", "[::1", "a:b:c", "a/b", "dns-risk"]),
    st.sampled_from([b"", b"{}", BODY]),
)
def test_any_path_is_answered(
    echo: ServerProcess, method: str, segments: list[str], query: str, host: str, body: bytes
) -> None:
    """Whatever is asked for by whatever name of a host, it is there or the caller's mistake."""
    line = f"{method} /{'/'.join(segments)}{query} HTTP/1.1"
    status, _, _ = spoken(echo, line, f"Host: {host}", f"Content-Length: {len(body)}", body=body)
    assert status in {200, 400, 404, 405}
