"""How fast features and ego-graphs are made, and what a larger graph store costs.

    python -m load_tests.bench_features [--small EDGES] [--large EDGES] [--batch NAMES] [--repeats N]

Builds two synthetic stores of the same shape in a temporary directory. Every figure is the median of
the repeats in seconds of processor time, so of one core, with the stores in the page cache.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from transformer.domain_name import parse_domain
from transformer.graph_store import GraphStore, Observation, Snapshot, SnapshotBuilder, publish
from transformer.lexical import lexical_features
from transformer.subgraph import Target, extract

SYLLABLES: Final = ("ba", "con", "de", "fer", "gin", "ho", "ix", "lu", "ma", "nor", "pel", "sta", "tri", "ve")
SUFFIXES: Final = ("com", "net", "org", "de", "co.uk", "github.io", "info", "xyz")
EDGES_PER_DOMAIN: Final = 2.5
CHUNK: Final = 100_000


def synthetic_name(number: int) -> str:
    """One of every third name is a sub-domain of the one before.

    >>> synthetic_name(7), synthetic_name(8)
    ('babalu7.xyz', 'www.babalu7.xyz')
    """
    if number % 3 == 2:
        return f"www.{synthetic_name(number - 1)}"
    parts = [SYLLABLES[number // 14**place % 14] for place in (2, 1, 0)]
    return f"{''.join(parts)}{number}.{SUFFIXES[number % 8]}"


def observations(edges: int, seed: int) -> Iterator[Observation]:
    """Random records: six of ten lead to addresses, three to nameservers, one to another name.

    Addresses and nameservers are shared unevenly (a square law), as in real hosting.
    """
    rng = np.random.default_rng(seed)
    domains, addresses, nameservers = int(edges / EDGES_PER_DOMAIN), edges // 8, edges // 40
    for first in range(0, edges, CHUNK):
        count = min(CHUNK, edges - first)
        sources = (np.arange(first, first + count) // EDGES_PER_DOMAIN).astype(int).tolist()
        shared = rng.random(count) ** 2
        kinds = rng.random(count).tolist()
        for source, kind, share in zip(sources, kinds, shared.tolist(), strict=True):
            name = synthetic_name(source)
            if kind < 0.6:
                yield Observation(name, "A", (address(int(share * addresses)),), 1, 2, 1)
            elif kind < 0.9:
                yield Observation(name, "NS", (f"ns{int(share * nameservers)}.example.net",), 1, 2, 1)
            else:
                yield Observation(name, "CNAME", (synthetic_name(int(share * domains)),), 1, 2, 1)


def address(number: int) -> str:
    """The IPv4 address of a number below 2**24, in 10.0.0.0/8.

    >>> address(258)
    '10.0.1.2'
    """
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def build(directory: Path, edges: int) -> Snapshot:
    """Build a synthetic store of so many observed edges and open it."""
    started = time.perf_counter()
    # Their addresses are made up, and private.
    builder = SnapshotBuilder(private_addresses=True)
    for observation in observations(edges, seed=edges):
        builder.add(observation)
    gathered = time.perf_counter()
    publish(directory, builder)
    written = time.perf_counter()
    snapshot = GraphStore(directory).snapshot
    print(
        f"store of {edges:,} edges: {snapshot.node_count:,} nodes, gathered in {gathered - started:.1f} s, "
        f"written in {written - gathered:.1f} s"
    )
    return snapshot


def median_seconds(call: Callable[[int], object], repeats: int) -> float:
    """Median processor time of `call(repeat)`; the first call warms caches and does not count."""
    times = []
    for repeat in range(repeats + 1):
        # Not the wall clock: another process on the same cores would count as ours.
        started = time.process_time()
        call(repeat)
        times.append(time.process_time() - started)
    return statistics.median(times[1:])


def sampled_batches(edges: int, batch: int, count: int) -> list[list[Target]]:
    """Batches of random stored names."""
    numbers = np.random.default_rng(1).integers(0, int(edges / EDGES_PER_DOMAIN), (count, batch)).tolist()
    return [[Target(parse_domain(synthetic_name(number))) for number in row] for row in numbers]


def bench_lexical(batch: int, repeats: int) -> None:
    """Print names per second, parsed and unparsed."""
    texts = [synthetic_name(number) for number in range(0, batch * 997, 997)]
    names = [parse_domain(text) for text in texts]
    parsing = median_seconds(lambda _: [parse_domain(text) for text in texts], repeats)
    features = median_seconds(lambda _: lexical_features(names), repeats)
    print(f"parse_domain: {batch / parsing:,.0f} names/s")
    print(f"lexical_features, batches of {batch}: {batch / features:,.0f} names/s (aim 150,000)")


def bench_extraction(snapshot: Snapshot, edges: int, batch: int, repeats: int) -> float:
    """Print and return seconds per graph in batches; print the time for one name alone."""
    batches = sampled_batches(edges, batch, repeats + 1)
    # A first pass over the same names: the page cache is part of a warm service.
    sizes = [float(extract(snapshot, targets).neighbours.mean()) for targets in batches]
    seconds = median_seconds(lambda repeat: extract(snapshot, batches[repeat]), repeats) / batch
    single = median_seconds(lambda repeat: extract(snapshot, batches[0][repeat % batch :][:1]), repeats)
    print(
        f"extraction from {edges:,} edges, batches of {batch}: {1 / seconds:,.0f} graphs/s "
        f"({seconds * 1e6:.0f} us, {statistics.mean(sizes):.0f} neighbours a graph); "
        f"one name alone {single * 1e6:.0f} us"
    )
    return seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", type=int, default=100_000, metavar="EDGES")
    parser.add_argument("--large", type=int, default=10_000_000, metavar="EDGES")
    parser.add_argument("--batch", type=int, default=256, metavar="NAMES")
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args(arguments)
    bench_lexical(options.batch, options.repeats)
    costs = {}
    for edges in (options.small, options.large):
        with tempfile.TemporaryDirectory() as directory:
            snapshot = build(Path(directory), edges)
            costs[edges] = bench_extraction(snapshot, edges, options.batch, options.repeats)
    ratio = costs[options.large] / costs[options.small]
    print(f"cost of extraction, {options.large:,} / {options.small:,} edges: {ratio:.2f} (aim <= 1.3)")


if __name__ == "__main__":
    main()
