"""`python -m load_tests.load PROFILE`: a profile against running services, a report, a verdict."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import httpx

from load_tests.load.crew import WorkerFailed
from load_tests.load.options import Options, read_options
from load_tests.load.report import write
from load_tests.load.session import BROKEN, MET, STOPPED, run
from load_tests.load.target import Target, trusting
from load_tests.load.toml_file import UnusableFile

_STATUS: Final = {MET: 0, BROKEN: 1, STOPPED: 130}
_NOT_JUDGED: Final = 2
_TIMEOUT_S: Final = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, write, print; the result is the exit status."""
    try:
        options = read_options(arguments)
        expect_ready(options.target)
        report = run(options)
        document = write(report, options.output)
    except (UnusableFile, WorkerFailed, OSError) as refusal:
        print(refusal, file=sys.stderr)
        return _NOT_JUDGED
    _print(options, document)
    return _STATUS.get(report.verdict, _NOT_JUDGED)


def expect_ready(target: Target) -> None:
    """Ask for readiness once.

    Raises:
        UnusableFile: nobody there, or not ready; says what to do.
    """
    url = f"{target.rest}/v2/health/ready"
    extensions = {"sni_hostname": target.host_header} if target.host_header else {}
    try:
        with httpx.Client(verify=trusting(target.ca_file), timeout=_TIMEOUT_S) as client:
            status = client.get(url, headers=target.headers, extensions=extensions).status_code
    except httpx.HTTPError as error:
        start = ": start the services with `make run`" if target.local else ""
        raise UnusableFile(f"{url}: {error or type(error).__name__}{start}") from None
    if status != httpx.codes.OK:
        raise UnusableFile(f"{url}: answered {status}, expected 200")


def _print(options: Options, document: dict[str, Any]) -> None:
    judged = document["judged"]
    for protocol, row in judged["latency_ms"].items():
        figures = ", ".join(f"{name} {_ms(row[name])}" for name in ("p50", "p95", "p99", "max"))
        print(f"{protocol:<5} {figures}")
    codes = ", ".join(f"{count:,} x {code}" for code, count in judged["by_code"].items())
    print(f"{judged['requests']:,} requests, {judged['names']['asked']:,} names: {codes}")
    if document["knee"] and document["knee"]["knee"]:
        knee = document["knee"]["knee"]
        print(f"knee: {knee['goodput']:,.0f} requests/s, {knee['names']:,.0f} names/s")
    for rule in document["rules"]:
        met = "met" if rule["met"] else "BROKEN"
        print(f"{met:<7}{rule['name']}: {rule['measured']} (limit {rule['limit']})")
    print(f"objectives: {document['verdict']}; see {options.output}/report.html")


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
