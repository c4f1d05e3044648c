"""One run: what it measures with, and where the figures go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from tqdm import tqdm

from contract.graphs import DomainGraphs
from load_tests.bench.figures import Figures
from load_tests.bench.options import Options
from load_tests.bench.services import Server
from load_tests.generator.tally import Tally
from load_tests.graph_messages import binary_of, grpc_of, joined, json_of
from load_tests.sample_graphs import sample_graphs

_SAMPLE: Final = 1024
_MAKERS: Final[Mapping[str, Callable[[DomainGraphs, str], Any]]] = {
    "grpc": grpc_of,
    "json": json_of,
    "binary": binary_of,
}


def name_of(variant: str, protocol: str, graphs: int, in_flight: int) -> str:
    """Under which name the graphs a second of a closed loop stand.

    >>> name_of("ours", "grpc", 32, 64)
    'ours/grpc/32 graphs/64 in flight'
    """
    return f"{variant}/{protocol}/{graphs} graphs/{in_flight} in flight"


@dataclass
class Bench:
    """Options, figures and requests of one run."""

    options: Options
    figures: Figures = field(default_factory=Figures)
    progress: tqdm = field(default_factory=lambda: tqdm(disable=None, leave=False, unit=" measurements"))

    @cached_property
    def singles(self) -> list[DomainGraphs]:
        """Ego-graphs, the same in every run."""
        return sample_graphs(_SAMPLE)

    def requests(self, protocol: str, graphs: int) -> list[Any]:
        """Requests of so many graphs in a protocol, made once."""
        made: dict[tuple[str, int], list[Any]] = self.__dict__.setdefault("_made", {})
        if (protocol, graphs) not in made:
            batches = joined(self.singles, graphs)
            # Whatever stands in the Host header: it is the same server on any port.
            made[protocol, graphs] = [_MAKERS[protocol](batch, "predictor") for batch in batches]
        return made[protocol, graphs]

    def in_turn(self, servers: Mapping[str, Server], measure: Callable[[str, Server], None]) -> None:
        """Measure each server once a repeat, so that a slow minute of the machine meets all of them."""
        for _ in range(self.options.repeats):
            for variant, server in servers.items():
                measure(variant, server)
                self.progress.update()

    def count(self, name: str, tally: Tally, items: int) -> None:
        """Note items a second, and failures."""
        self.progress.set_description(name, refresh=False)
        self.figures.add(name, tally.per_second * items)
        self.figures.fail(name, tally.failures)
