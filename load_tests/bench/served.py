"""The predictor behind its protocols: ours, ours without joining, and a plain KServe predictor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from load_tests.bench.bench import Bench, name_of
from load_tests.bench.loads import closed, opened, profiled
from load_tests.bench.options import Options
from load_tests.bench.profile import NoProfile
from load_tests.bench.services import UNJOINED, Server, batches_of, plain_kserve, predictor
from load_tests.generator.tally import percentile_ms

PLAIN: Final = "plain KServe"
ALONE: Final = "unjoined"
LATENCIES: Final = (("grpc", 1), ("grpc", 32), ("json", 1))
JOINING_IN_FLIGHT: Final = 64
BINARY_IN_FLIGHT: Final = 64
PROFILE_IN_FLIGHT: Final = 64


def measure(bench: Bench) -> None:
    """Every part that needs predictors, all of them running so that they are measured in turn.

    Raises:
        ServiceFailed: a server ended or was not ready in time.
    """
    parts = bench.options.parts
    with _servers(bench) as servers:
        ours = {name: server for name, server in servers.items() if name in bench.options.variants}
        compared = {name: server for name, server in servers.items() if name != ALONE}
        if "predictor" in parts:
            for protocol, graphs, in_flight in points(bench.options):
                _point(bench, compared, protocol, graphs, in_flight)
        if "joining" in parts:
            _joining(bench, servers)
        if "latency" in parts:
            for protocol, graphs in LATENCIES:
                bench.in_turn(compared, partial(_at_half, bench, protocol, graphs))
        if "profile" in parts:
            _profiles(bench, ours)


@contextmanager
def _servers(bench: Bench) -> Iterator[Mapping[str, Server]]:
    options = bench.options
    first = next(iter(options.variants.values()))
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(predictor(options.model_dir, settings))
            for name, settings in options.variants.items()
        }
        if "joining" in options.parts:
            servers[ALONE] = stack.enter_context(predictor(options.model_dir, first | UNJOINED))
        if {"plain", "predictor"} <= set(options.parts):
            servers[PLAIN] = stack.enter_context(plain_kserve(options.model_dir))
        yield servers


def points(options: Options) -> Iterator[tuple[str, int, int]]:
    """Protocol, graphs a request and callers of every closed loop."""
    for graphs in options.graphs:
        for protocol in ("grpc", "json"):
            for in_flight in options.in_flight:
                yield protocol, graphs, in_flight
        yield "binary", graphs, BINARY_IN_FLIGHT


def _point(bench: Bench, servers: Mapping[str, Server], protocol: str, graphs: int, in_flight: int) -> None:
    requests = bench.requests(protocol, graphs)

    def one(variant: str, server: Server) -> None:
        before = batches_of(server)
        tally = closed(server, protocol, requests, in_flight, bench.options.seconds)
        name = name_of(variant, protocol, graphs, in_flight)
        bench.count(name, tally, graphs)
        scored, batches = (after - then for after, then in zip(batches_of(server), before, strict=True))
        if batches:
            bench.figures.add(gathered_name(name), scored / batches)

    bench.in_turn(servers, one)


def gathered_name(load: str) -> str:
    """Under which name the mean number of graphs in a batch of the model stands.

    >>> gathered_name(name_of("ours", "grpc", 1, 64))
    'ours/grpc/1 graphs/64 in flight/graphs a batch'
    """
    return f"{load}/graphs a batch"


def _joining(bench: Bench, servers: Mapping[str, Server]) -> None:
    ours = next(iter(bench.options.variants))
    # Measured again beside the other, so that the ratio is of the same minute.
    pair = {f"{ours}, joined": servers[ours], ALONE: servers[ALONE]}
    _point(bench, pair, "grpc", 1, JOINING_IN_FLIGHT)


def latency_name(variant: str, protocol: str, graphs: int, figure: str) -> str:
    """Under which name a latency in milliseconds, or the rate it was measured at, stands.

    >>> latency_name("ours", "grpc", 1, "p99")
    'ours/grpc/1 graphs/p99'
    """
    return f"{variant}/{protocol}/{graphs} graphs/{figure}"


def _at_half(bench: Bench, protocol: str, graphs: int, variant: str, server: Server) -> None:
    maximum = _maximum(bench, variant, protocol, graphs)
    # Another choice of graphs or callers may leave it out.
    if maximum is None:
        return
    rate = maximum / graphs / 2
    tally = opened(server, protocol, bench.requests(protocol, graphs), rate, bench.options.seconds)
    bench.figures.fail(latency_name(variant, protocol, graphs, "half rate"), tally.failures)
    figures = {
        "half rate": rate,
        "p50": tally.latency_ms(50),
        "p99": tally.latency_ms(99),
        "lag": percentile_ms(tally.lags_s, 99),
    }
    for figure, value in figures.items():
        bench.figures.add(latency_name(variant, protocol, graphs, figure), value)


def _maximum(bench: Bench, variant: str, protocol: str, graphs: int) -> float | None:
    """Graphs a second of the best closed loop."""
    names = [name_of(variant, protocol, graphs, in_flight) for in_flight in bench.options.in_flight]
    return bench.figures.best(*names)


def profile_name(variant: str, graphs: int, kind: str) -> str:
    """Under which name the percentage of a kind of work stands.

    >>> profile_name("ours", 1, "model")
    'ours/profile/1 graphs/model'
    """
    return f"{variant}/profile/{graphs} graphs/{kind}"


def _profiles(bench: Bench, servers: Mapping[str, Server]) -> None:
    for graphs in bench.options.graphs:
        requests = bench.requests("grpc", graphs)
        for variant, server in servers.items():
            try:
                shares, tally = profiled(
                    server, "predictor", requests, PROFILE_IN_FLIGHT, bench.options.seconds
                )
            except NoProfile as reason:
                bench.figures.failures[f"no profile: {reason}"] += 1
                return
            bench.figures.fail(f"{variant}/profile/{graphs} graphs", tally.failures)
            for kind, percent in shares.items():
                bench.figures.add(profile_name(variant, graphs, kind), percent)
