"""`python -m explainer.report DOMAIN -o report.html`: ask the running explainer why, and write it as a page.

The page holds everything it shows: it loads nothing, and opens where nothing of this is installed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from contract.tensors import ANSWERS, DOMAIN, RISK_MODEL
from explainer.options import METHODS
from explainer.report_page import UnexpectedAnswer, page, visible

# After the explainer's own deadline its refusal, which says more than a timeout here, is still on its way.
_GRACE_S: Final = 1.0
# The most that an explainer can be set to allow (DNS_RISK_MAX_DEADLINE_MS).
_MOST_S: Final = 600.0
_MOST_BYTES: Final = 16 << 20
STDOUT: Final = "-"


class ReportFailed(Exception):
    """No report was written; the message is one line."""


def request_of(arguments: argparse.Namespace) -> urllib.request.Request:
    """The request for the explanation that the arguments ask for."""
    instance = {DOMAIN.name: arguments.domain}
    if arguments.answers is not None:
        instance[ANSWERS.name] = arguments.answers
    parameters: dict[str, object] = {"method": arguments.method, "graph": True}
    if arguments.seed is not None:
        parameters["seed"] = arguments.seed
    headers = {
        "content-type": "application/json",
        "x-request-timeout-ms": str(max(1, round(1000 * arguments.timeout))),
    }
    body = json.dumps({"instances": [instance], "parameters": parameters}).encode()
    url = f"{arguments.explainer}/v1/models/{RISK_MODEL}:explain"
    return urllib.request.Request(url, body, headers)  # noqa: S310 - see service


def ask(request: urllib.request.Request, timeout_s: float) -> bytes:
    """What the explainer answers.

    Raises:
        ReportFailed: nobody answers in time, or the explainer refuses; says which status and why.
    """
    where = f"{request.type}://{request.host}"
    try:
        return _exchange(request, timeout_s + _GRACE_S)
    except _Refused as refused:
        raise ReportFailed(f"{where}: {refused}") from None
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        reason = getattr(error, "reason", error)
        said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise ReportFailed(f"{where}: no answer: {said}") from None


class _Refused(Exception):
    """The explainer answered with another status than 200; the message is that and its reason."""


def _exchange(request: urllib.request.Request, timeout_s: float) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - see service
            return bytes(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as refusal:
        with refusal:
            told = _refusal(refusal.read(_MOST_BYTES))
        raise _Refused(f"{refusal.code} {refusal.reason}: {told}") from None


def _refusal(content: bytes) -> str:
    try:
        return str(json.loads(content)["error"])
    except (ValueError, RecursionError, TypeError, KeyError):
        return content[:200].decode(errors="replace") or "no reason given"


def page_of(content: bytes) -> tuple[str, str]:
    """The page of the one explanation in an answer, and its summary.

    Raises:
        UnexpectedAnswer: it is no answer to one instance, or the explanation is none.
    """
    try:
        explanations = json.loads(content)["explanations"]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise UnexpectedAnswer("expected explanations in a JSON object") from None
    if not isinstance(explanations, list) or len(explanations) != 1 or not isinstance(explanations[0], dict):
        raise UnexpectedAnswer("explanations: expected a list of one object")
    return page(explanations[0]), explanations[0]["summary"]


def write(html: str, output: str) -> None:
    """Write the page to a file, all of it or nothing, or to standard output.

    Raises:
        ReportFailed: it cannot be written.
    """
    try:
        if output == STDOUT:
            sys.stdout.buffer.write(html.encode())
            sys.stdout.buffer.flush()
        else:
            _replace(Path(output), html)
    except OSError as error:
        raise ReportFailed(f"{output}: {error.strerror or error}") from None


def _replace(path: Path, html: str) -> None:
    # Renamed onto a device or a pipe, a file would take its place.
    if path.exists() and not path.is_file():
        raise ReportFailed(f"{path}: expected a file's name")
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(html, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def service(text: str) -> str:
    """The address of a service, without a slash at its end."""
    parts = urlsplit(text)
    rest = parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in {"http", "https"} or not parts.hostname or rest:
        raise argparse.ArgumentTypeError(f"expected http://HOST:PORT, got {text!r}")
    return text.rstrip("/")


def seconds(text: str) -> float:
    """A time to wait."""
    value = float(text)
    if not 0 < value <= _MOST_S:
        raise argparse.ArgumentTypeError(f"expected more than 0 and at most {_MOST_S:g} seconds, got {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m explainer.report", description=__doc__)
    parser.add_argument("domain")
    parser.add_argument("--answers", help='what a resolver was told: "AAAA 3ffe:b00::66, NS ns1.example.net"')
    parser.add_argument("--method", choices=METHODS, default=METHODS[0])
    parser.add_argument("--seed", type=int, help="of everything drawn at random (the explainer's default: 0)")
    parser.add_argument(
        "--explainer", type=service, default="http://127.0.0.1:8084", help="where it serves REST"
    )
    parser.add_argument("--timeout", type=seconds, default=10.0, help="seconds (default: 10)")
    parser.add_argument("-o", "--output", required=True, help="file to write; - for standard output")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a report; the result is the exit status."""
    options = _parser().parse_args(arguments)
    try:
        html, summary = page_of(ask(request_of(options), options.timeout))
        write(html, options.output)
    except UnexpectedAnswer as unexpected:
        print(f"{options.explainer}: unexpected answer: {_line(str(unexpected))}", file=sys.stderr)
        return 1
    except ReportFailed as failure:
        print(_line(str(failure)), file=sys.stderr)
        return 1
    if options.output != STDOUT:
        print(options.output)
        print(_line(summary))
    return 0


def _line(text: str) -> str:
    """One line that does nothing to a terminal."""
    return visible(" ".join(text.split()))


if __name__ == "__main__":
    sys.exit(main())
