"""Ego-graphs as the transformer cuts them: of lone names, and of names with neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from contract.graphs import DomainGraphs
from explainer.perturbation import EgoGraph, NameSet
from explainer.players import Player, neighbours_of, traits_of
from explainer.random_turn import random_turn
from explainer.rule_game import RuleGame
from explainer.traits import TRAITS
from tests.transformer.passive_dns import build, observation, random_records
from transformer.featurize import featurize
from transformer.graph_store import Snapshot

# rrname, rrtype, rdata. Two addresses are shared: both.example.org hangs on both, one.example.org on one.
RECORDS = (
    ("shop.example.com", "A", "11.0.2.1"),
    ("shop.example.com", "A", "11.0.2.2"),
    ("example.com", "A", "11.0.2.1"),
    ("example.com", "A", "11.0.2.3"),
    ("example.com", "NS", "ns1.dns.test"),
    ("example.com", "NS", "ns2.dns.test"),
    ("other.test", "NS", "ns1.dns.test"),
    ("mail.example.com", "A", "11.0.2.4"),
    ("both.example.org", "A", "11.0.2.1"),
    ("both.example.org", "A", "11.0.2.2"),
    ("one.example.org", "A", "11.0.2.1"),
    ("example.com", "CNAME", "edge.cdn.test"),
    ("go.test", "CNAME", "example.com"),
    ("examp1e.net", "A", "11.0.2.9"),
    *(("many.test", "A", f"11.51.100.{last}") for last in range(12)),
)
# With every relation but `apex`, which shop.example.com has.
APEX = "example.com"
SUBDOMAIN = "shop.example.com"
# Of its 12 addresses a graph shows 8.
MANY = "many.test"

# 48 names that lend their traits; "com" is a suffix itself, "lan" is in no list of suffixes.
LENDERS = (
    "com", "kitchen.com", "garden-tools.com", "sun.com", "8800123.com", "paypal-login.com", "www.bedroom.com",
    "mail.harbour.com", "qwrtpsdf.com", "b4nk-secure.com", "www.oak-table.com", "silver.com",
    "shop.copper-wire.com", "l0gin.com", "m.iron.com", "meadow.co.uk", "www.thistle.co.uk",
    "tea-and-toast.co.uk", "hedge.co.uk", "4u.co.uk", "a.b.barrow.co.uk", "x7-q2zkw.xyz", "zzkqj.xyz",
    "free-gift-card.xyz", "99999.xyz", "win-bonus.xyz", "update.account-9.xyz", "vxqwk7.xyz", "secure1.xyz",
    "printer.lan", "www.intranet.lan", "nas-2.lan", "router.lan", "scanner.office.lan", "camera.lan",
    "alice.github.io", "bob-the-builder.github.io", "docs.carol.github.io", "d4ve.github.io", "bakery.org",
    "www.choir.org", "night-school.org", "library.org", "1st-aid.org", "xn--bcher-kva.org", "hospice.org",
    "www.rowing-club.org", "chess.org",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labelled:
    """One ego-graph, and what its nodes are called."""

    graph: DomainGraphs
    labels: list[str]

    @property
    def ego(self) -> EgoGraph:
        """The graph with the links that may be taken away."""
        return EgoGraph.of(self.graph)

    @property
    def players(self) -> list[Player]:
        """Every neighbour, then every trait."""
        ego = self.ego
        return [*neighbours_of(ego, self.labels), *traits_of(ego.own, range(len(TRAITS)))]


@cache
def known() -> Snapshot:
    """The hand-made passive DNS."""
    with TemporaryDirectory() as directory:
        return build(Path(directory), [observation(*record) for record in RECORDS])


@cache
def crowded() -> Snapshot:
    """Passive DNS of 120 names (see `name_at`) in which most ego-graphs meet their caps."""
    with TemporaryDirectory() as directory:
        return build(Path(directory), random_records(7, 120, 1500))


@cache
def linked(name: str, answers: str = "", snapshot: Snapshot | None = None) -> Labelled:
    """The graph of one name in the hand-made passive DNS, or in another."""
    cut = featurize(snapshot or known(), [name], [answers], labelled=True)
    assert cut.graphs is not None
    return Labelled(cut.graphs, [label.decode() for label in cut.node_labels])


def lone(*names: str) -> DomainGraphs:
    """The graphs of names of which nobody knows anything."""
    cut = featurize(Snapshot.empty(), names)
    assert cut.graphs is not None
    assert cut.graphs.graph_count == len(names)
    return cut.graphs


@cache
def name_set(*names: str) -> NameSet:
    """Names that may lend their traits."""
    return NameSet.of_targets(lone(*names))


def lenders() -> NameSet:
    """The names of LENDERS, in that order."""
    return name_set(*LENDERS)


def rule_game(name: str, seed: int = 0, only: Sequence[str] = ()) -> RuleGame:
    """The columns that rules about one name speak of, or only some players', with LENDERS as background."""
    cut = linked(name)
    players = [player for player in cut.players if player.key in only or not only]
    with random_turn(seed, 1.0):
        return RuleGame(cut.ego, players, lenders())


def column_of(game: RuleGame, key: str, *, number: bool = False) -> int:
    """The place of the column about one player, as a number or as it is here."""
    named = [(column.player.key, column.is_number) for column in game.columns]
    return named.index((key, number))


def assert_same(one: DomainGraphs, other: DomainGraphs) -> None:
    """Both are the same, bit for bit."""
    others = other.tensors()
    for name, array in one.tensors().items():
        assert (array.dtype, array.shape) == (others[name].dtype, others[name].shape), name
        assert array.tobytes() == others[name].tobytes(), name
