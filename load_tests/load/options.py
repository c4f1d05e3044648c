"""What `python -m load_tests.load` can be told."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from load_tests.load.profile import Profile, profile_names, read_profile
from load_tests.load.slo import DEFAULT, Slo
from load_tests.load.target import TOKEN_VARIABLE, Target
from load_tests.load.toml_file import UnusableFile, first_problem, read_toml

_REST: Final = "http://127.0.0.1:8080"
_GRPC: Final = "http://127.0.0.1:8081"
# The ports of `make run`.
_LOCAL_METRICS: Final = {
    "transformer": "http://127.0.0.1:8080/metrics",
    "predictor": "http://127.0.0.1:8082/metrics",
}
_LOG: Final = Path("data") / "dns_traffic_sample.csv.gz"
_MOST_WORKERS: Final = 64


@dataclass(frozen=True, slots=True)
class Options:
    """One run."""

    name: str
    profile: Profile
    slo: Slo
    target: Target
    metrics: dict[str, str]
    query_log: Path | None
    output: Path
    workers: int


def read_options(arguments: Sequence[str] | None) -> Options:
    """The options of a command line.

    Raises:
        UnusableFile: a profile, SLO file, address or log that cannot be used; one line.
        SystemExit: what argparse refuses.
    """
    given = _parser().parse_args(arguments)
    try:
        target = Target(
            rest=given.rest.rstrip("/"), grpc=given.grpc.rstrip("/"), host_header=given.host_header,
            ca_file=given.ca_file, connections=given.connections,
        )  # fmt: skip
    except ValidationError as error:
        raise UnusableFile(first_problem(error)) from None
    if not 1 <= given.workers <= _MOST_WORKERS:
        raise UnusableFile(f"--workers {given.workers}: expected 1 to {_MOST_WORKERS}")
    profile = read_profile(given.profile, given.seconds, given.scale)
    if not target.grpc:
        profile = profile.model_copy(
            update={"traffic": profile.traffic.model_copy(update={"grpc_share": 0.0})}
        )
    return Options(
        Path(given.profile).stem,
        profile,
        read_toml(given.slo, Slo),
        target,
        _metrics(given.metrics, given.rest == _REST),
        given.query_log or _shared_log(),
        given.output,
        given.workers,
    )


def _metrics(given: Sequence[str], defaults: bool) -> dict[str, str]:
    pages = {}
    for text in given:
        service, _, url = text.partition("=")
        if not url.startswith(("http://", "https://")):
            raise UnusableFile(f"--metrics {text}: expected SERVICE=http://HOST:PORT/metrics")
        pages[service] = url
    return pages or (dict(_LOCAL_METRICS) if defaults else {})


def _shared_log() -> Path | None:
    """The query log beside the labelled data, where there is one."""
    log = Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / _LOG
    return log if log.is_file() else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.load",
        description="resolvers' traffic against running services, judged by service level objectives",
        epilog=f"An access token for an ingress goes into the environment variable {TOKEN_VARIABLE}. "
        "Exit status: 0 every objective met, 1 one broken, 2 nothing could be judged.",
    )
    parser.add_argument("profile", help=f"{', '.join(profile_names())}, or a TOML file")
    parser.add_argument("--rest", default=_REST, metavar="URL", help=f"default {_REST}")
    parser.add_argument(
        "--grpc", default=_GRPC, metavar="URL", help=f'default {_GRPC}; "" asks over REST only'
    )
    parser.add_argument(
        "--host_header", default="", metavar="NAME", help="the host that an ingress routes by"
    )
    parser.add_argument("--ca_file", type=Path, metavar="FILE", help="certificates to trust, for https")
    parser.add_argument(
        "--connections", type=int, default=8, help="gRPC connections of each worker (default 8)"
    )
    parser.add_argument(
        "--slo", type=Path, default=DEFAULT, metavar="FILE", help="objectives (default: shipped)"
    )
    parser.add_argument("--seconds", type=float, help="length of the run, or of a step of a search")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies every rate")
    parser.add_argument("--workers", type=int, default=1, help="processes that send (default 1)")
    parser.add_argument(
        "--metrics",
        action="append",
        default=[],
        metavar="SERVICE=URL",
        help="metrics pages to read meanwhile",
    )
    parser.add_argument("--query_log", type=Path, metavar="FILE", help="CSV with columns query and answers")
    parser.add_argument("--output", type=Path, default=Path("load-report"), metavar="FOLDER")
    return parser
