"""The tables, from the figures alone; what was not measured is a dash, what is all dashes is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from load_tests.bench.bench import name_of
from load_tests.bench.figures import Figures
from load_tests.bench.limit import bare_name, generator_name, reference_name
from load_tests.bench.names import IN_FLIGHT as NAMES_IN_FLIGHT
from load_tests.bench.names import PROTOCOLS, memory_name, names_name
from load_tests.bench.options import BATCHES, Options
from load_tests.bench.profile import KINDS, OTHER
from load_tests.bench.render import MISSING, Table, number
from load_tests.bench.served import (
    ALONE,
    BINARY_IN_FLIGHT,
    JOINING_IN_FLIGHT,
    LATENCIES,
    PLAIN,
    gathered_name,
    latency_name,
    profile_name,
)

_SHOWN: Final = {"grpc": "gRPC", "json": "REST JSON", "binary": "REST binary"}


def tables(figures: Figures, options: Options) -> list[Table]:
    """Every table that has a figure."""
    variants = list(options.variants)
    every = [
        _limits(figures, options),
        _predictor(figures, options),
        _gathered(figures, options),
        _ratios(figures, options),
        _latencies(figures, variants),
        _names(figures, variants),
        _memory(figures, variants),
        _profile(figures, options),
        _compared(figures, variants),
    ]
    return [table for table in every if any(set(row[1:]) != {MISSING} for row in table.rows)]


def _limits(figures: Figures, options: Options) -> Table:
    rows = [
        (f"{what}, {_graphs(size)} a batch", number(figures.median(name(size))))
        for what, name in (("bare model", bare_name), ("the same as PyG runs it", reference_name))
        for size in BATCHES
    ]
    rows += [
        (f"the generator against a server that only answers, {_graphs(graphs)}", number(figures.median(name)))
        for graphs in options.graphs
        for name in [generator_name(graphs)]
    ]
    return Table("The limits, graphs a second on one core", ("what", "graphs/s"), tuple(rows))


def _predictor(figures: Figures, options: Options) -> Table:
    header = ("graphs a second", *(f"{count} in flight" for count in options.in_flight))
    rows = []
    for variant in (*options.variants, PLAIN):
        for protocol in ("grpc", "json"):
            for graphs in options.graphs:
                names = [name_of(variant, protocol, graphs, count) for count in options.in_flight]
                cells = (number(figures.median(name)) for name in names)
                rows.append((f"{variant}: {_SHOWN[protocol]}, {_graphs(graphs)}", *cells))
    return Table("The predictor behind its protocols", header, _without_dashes(rows))


def _gathered(figures: Figures, options: Options) -> Table:
    header = ("graphs in a batch of the model, mean", *(f"{count} in flight" for count in options.in_flight))
    rows = []
    for variant in options.variants:
        for protocol in ("grpc", "json"):
            loads = [name_of(variant, protocol, 1, count) for count in options.in_flight]
            cells = (number(figures.median(gathered_name(load))) for load in loads)
            rows.append((f"{variant}: {_SHOWN[protocol]}, 1 graph", *cells))
    return Table("What joining gathers", header, _without_dashes(rows))


def _ratios(figures: Figures, options: Options) -> Table:
    ours = next(iter(options.variants))
    limit = max(BATCHES, key=lambda size: figures.median(bare_name(size)) or 0.0)
    bare = figures.median(bare_name(limit))
    rows = []
    for protocol in ("grpc", "json"):
        for graphs in options.graphs:
            what = f"{_SHOWN[protocol]}, {_graphs(graphs)}"
            own, other = (
                figures.best(*(name_of(variant, protocol, graphs, count) for count in options.in_flight))
                for variant in (ours, PLAIN)
            )
            rows.append((f"{what}: best ÷ the bare model's best", number(_by(own, bare))))
            rows.append((f"{what}: best ÷ plain KServe's best", number(_by(own, other))))
    rows += [
        (
            f"REST binary, {_graphs(graphs)}, {BINARY_IN_FLIGHT} in flight ÷ plain KServe",
            number(
                figures.ratio(*(name_of(who, "binary", graphs, BINARY_IN_FLIGHT) for who in (ours, PLAIN)))
            ),
        )
        for graphs in options.graphs
    ]
    pair = (name_of(who, "grpc", 1, JOINING_IN_FLIGHT) for who in (f"{ours}, joined", ALONE))
    rows.append(
        (f"gRPC, 1 graph, {JOINING_IN_FLIGHT} in flight: joined ÷ unjoined", number(figures.ratio(*pair)))
    )
    return Table("Ratios", ("what", "ratio"), _without_dashes(rows))


def _latencies(figures: Figures, variants: Sequence[str]) -> Table:
    header = (
        "open loop at half of the own maximum",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "p99 of the generator's lag ms",
    )
    rows = [
        (
            f"{variant}: {_SHOWN[protocol]}, {_graphs(graphs)}",
            *(
                number(figures.median(latency_name(variant, protocol, graphs, figure)))
                for figure in ("half rate", "p50", "p99", "lag")
            ),
        )
        for variant in (*variants, PLAIN)
        for protocol, graphs in LATENCIES
    ]
    return Table("Latency", header, _without_dashes(rows))


def _names(figures: Figures, variants: Sequence[str]) -> Table:
    costs = [f"CPU s of the {process} a 1,000" for process in ("transformer", "predictor")]
    header = ("names through transformer and predictor", "names/s", *costs)
    rows = [
        (
            f"{variant}: {_SHOWN[protocol]}, {size} a request, {in_flight} in flight",
            *(
                number(figures.median(names_name(variant, protocol, size, figure)))
                for figure in ("names a second", *costs)
            ),
        )
        for variant in variants
        for protocol in PROTOCOLS
        for size, in_flight in NAMES_IN_FLIGHT.items()
    ]
    note = "Three processes on two cores: the predictor on one, transformer and generator on the other."
    return Table("End to end", header, _without_dashes(rows), note)


def _memory(figures: Figures, variants: Sequence[str]) -> Table:
    rows = [
        (f"{variant}: {process}", number(figures.median(memory_name(variant, process))))
        for variant in variants
        for process in ("transformer", "predictor")
    ]
    return Table(
        "Largest resident memory after the loads of names", ("process", "MiB"), _without_dashes(rows)
    )


def _profile(figures: Figures, options: Options) -> Table:
    columns = [(variant, graphs) for variant in options.variants for graphs in options.graphs]
    header = (
        "percent of the predictor's busy time, gRPC",
        *(f"{who}, {_graphs(size)}" for who, size in columns),
    )
    rows = [
        (kind, *(number(figures.median(profile_name(variant, graphs, kind))) for variant, graphs in columns))
        for kind in (*(kind for kind, _ in KINDS), OTHER)
    ]
    return Table("Where the time goes", header, _without_dashes(rows))


def _compared(figures: Figures, variants: Sequence[str]) -> Table:
    """Every figure that all variants have, and each variant's ratio to the first."""
    first, *others = variants
    header = ("compared", *variants, *(f"{other} ÷ {first}" for other in others))
    rows = []
    for name in figures.repeats if others else ():
        who, _, what = name.partition("/")
        names = [f"{variant}/{what}" for variant in variants]
        # Shares of time are beside each other in their own table.
        if who != first or what.startswith("profile/") or not all(each in figures.repeats for each in names):
            continue
        ratios = [number(figures.ratio(each, name)) for each in names[1:]]
        rows.append((what, *(number(figures.median(each)) for each in names), *ratios))
    return Table("Compared", header, tuple(rows))


def _graphs(count: int) -> str:
    return "1 graph" if count == 1 else f"{count} graphs"


def _by(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _without_dashes(rows: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple(row for row in rows if set(row[1:]) != {MISSING})
