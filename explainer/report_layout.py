"""The geometry of a report: how long bars are, and where the nodes of an ego-graph are drawn.

The domain stands in the middle, its neighbours around it, other nodes beyond these. Labels are horizontal
lines beside their nodes. So neighbours stand on the right and left of an ellipse, each in a stripe of its
height to itself, and within that stripe stand the nodes beyond the neighbour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Edge = tuple[int, int]

# So many contributions have a bar of their own; the others are summed up in one more.
MOST_BARS: Final = 12
# Part of the ellipse's height that nodes take: above and below it, both halves would come too close.
_TAKEN: Final = 0.86
# Nodes beyond a neighbour stand at most so many times further apart than they have to.
_LOOSE: Final = 1.5
_GAP: Final = 6.0
# How far the middle of an edge across the drawing gives way, as a share of its width.
_BULGE: Final = 0.15
# A letter of a label.
_LETTER: Final = 7.25


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart; `left` and `width` are percentages of its width."""

    text: str
    gain: float
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars on one scale; zero is at so many percent of its width. The last bar sums up `others`, if any."""

    bars: Sequence[Bar]
    zero: float
    others: int


def chart_of(contributions: Sequence[tuple[str, float]]) -> Chart:
    """The largest contributions, and what the others add together.

    >>> [(bar.text, bar.left, bar.width) for bar in chart_of([("a", 0.75), ("b", -0.25)]).bars]
    [('a', 25.0, 75.0), ('b', 0.0, 25.0)]
    """
    ranked = sorted(contributions, key=lambda each: -abs(each[1]))
    rows, others = ranked[:MOST_BARS], ranked[MOST_BARS:]
    if others:
        name = "1 other" if len(others) == 1 else f"{len(others)} others together"
        rows.append((name, math.fsum(gain for _, gain in others)))
    low, high = (extreme([0.0, *(gain for _, gain in rows)]) for extreme in (min, max))
    percent = 100 / (high - low or 1.0)
    bars = [Bar(text, gain, (min(gain, 0.0) - low) * percent, abs(gain) * percent) for text, gain in rows]
    return Chart(bars, -low * percent, len(others))


@dataclass(frozen=True, slots=True)
class Frame:
    """Measures of a drawing, in units of its viewBox: pixels where it is shown in its full width.

    ring, half_height    the ellipse's half-width and its least half-height
    beyond               how much further out nodes beyond a neighbour stand
    fan                  the part of it in which the edges to them part
    slot, far_slot       the least heights for a neighbour and for a node beyond one
    radius, far_radius   of their symbols
    """

    width: float
    ring: float
    half_height: float
    beyond: float
    fan: float
    slot: float
    far_slot: float
    radius: float
    far_radius: float


# One unit is one pixel in the widest column of the page and on the narrowest phone.
WIDE: Final = Frame(
    1000.0, 120.0, 150.0, 215.0, fan=48.0, slot=40.0, far_slot=17.0, radius=8.0, far_radius=4.5
)
NARROW: Final = Frame(
    328.0, 84.0, 120.0, 58.0, fan=20.0, slot=25.0, far_slot=12.0, radius=8.0, far_radius=4.0
)


@dataclass(frozen=True, slots=True)
class Branch:
    """A neighbour, and the nodes that are drawn beyond it."""

    node: int
    beyond: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """The place of one node.

    stem   the node it hangs on, -1 for the domain
    x, y   of its centre; the domain's are 0
    side   1 on the right, -1 on the left, 0 for the domain
    room   width for its label, from its symbol outwards
    """

    stem: int
    x: float
    y: float
    side: int
    room: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing of so many units, with the domain in its centre; spots by node."""

    frame: Frame
    height: float
    spots: Mapping[int, Spot]

    @property
    def view_box(self) -> str:
        """The viewBox of its SVG."""
        width = self.frame.width
        return f"{-width / 2:g} {-self.height / 2:g} {width:g} {self.height:g}"

    def path(self, source: int, target: int) -> str:
        """The path of an edge: straight from the domain to a neighbour, curved elsewhere."""
        one, other = self.spots[source], self.spots[target]
        if other.stem == source:
            return self._branching(source, other)
        if one.stem == target:
            return self._branching(target, one)
        # Around the middle, and not out of the picture: half way a curve is half way to its bend.
        x, y = (one.x + other.x) / 2, (one.y + other.y) / 2
        away = math.copysign(min(abs(y) + _BULGE * abs(one.x - other.x), self.height / 2 - _GAP), y)
        return f"M{one.x:.1f},{one.y:.1f}Q{x:.1f},{2 * away - y:.1f} {other.x:.1f},{other.y:.1f}"

    def _branching(self, stem: int, end: Spot) -> str:
        if stem == 0:
            return f"M0,0L{end.x:.1f},{end.y:.1f}"
        near = self.spots[stem]
        # Along the neighbour's label, then to the side.
        parting = near.x + near.side * (self.frame.radius + _GAP + near.room)
        middle = (parting + end.x) / 2
        start = f"M{near.x:.1f},{near.y:.1f}H{parting:.1f}"
        return f"{start}C{middle:.1f},{near.y:.1f} {middle:.1f},{end.y:.1f} {end.x:.1f},{end.y:.1f}"


def branches_of(nodes: int, edges: Sequence[Edge], neighbours: Sequence[int]) -> list[Branch]:
    """Hang each node that is no neighbour on the first one that it has an edge with, else on the domain.

    >>> branches_of(5, [(0, 2), (0, 1), (3, 1), (3, 2)], [2, 1])
    [Branch(node=2, beyond=(3,)), Branch(node=1, beyond=()), Branch(node=4, beyond=())]
    """
    hung = dict.fromkeys((0, *neighbours), -1)
    beyond: dict[int, list[int]] = {neighbour: [] for neighbour in neighbours}
    for neighbour in neighbours:
        ends = {end for edge in edges if neighbour in edge for end in edge}
        for node in sorted(ends - hung.keys()):
            hung[node] = neighbour
            beyond[neighbour].append(node)
    loose = [Branch(node) for node in range(nodes) if node not in hung]
    return [Branch(neighbour, tuple(found)) for neighbour, found in beyond.items()] + loose


def arrange(branches: Sequence[Branch], frame: Frame) -> Layout:
    """Place the domain and its branches: clockwise, from the top of the right half on."""
    right = _on_the_right([_stripe(branch, frame) for branch in branches])
    halves = {1: list(branches[:right]), -1: list(branches[right:])[::-1]}
    needed = max(sum(_stripe(branch, frame) for branch in half) for half in halves.values())
    half_height = max(frame.half_height, needed / 2 / _TAKEN)
    spots = {0: Spot(-1, 0.0, 0.0, 0, frame.ring)}
    for side, half in halves.items():
        spots |= _half(half, side, half_height, frame)
    height = 2 * (max(abs(spot.y) for spot in spots.values()) + frame.slot)
    return Layout(frame, float(math.ceil(height)), spots)


def _stripe(branch: Branch, frame: Frame) -> float:
    return max(frame.slot, len(branch.beyond) * frame.far_slot)


def _on_the_right(stripes: Sequence[float]) -> int:
    """How many stripes stand on the right, so that both halves are about as high.

    >>> _on_the_right([36.0]), _on_the_right([36.0, 36.0, 36.0]), _on_the_right([36.0, 136.0, 36.0])
    (1, 2, 2)
    """
    total = sum(stripes)
    first = [sum(stripes[:count]) for count in range(len(stripes) + 1)]
    return min(range(len(first)), key=lambda count: (abs(2 * first[count] - total), -count))


def _half(branches: Sequence[Branch], side: int, half_height: float, frame: Frame) -> dict[int, Spot]:
    """The spots of the branches of one half, from its top to its bottom, spread over the height."""
    spots: dict[int, Spot] = {}
    needed = sum(_stripe(branch, frame) for branch in branches)
    top = -half_height * _TAKEN
    for branch in branches:
        stripe = _stripe(branch, frame) * 2 * half_height * _TAKEN / needed
        y = top + stripe / 2
        x = frame.ring * math.sqrt(1 - (y / half_height) ** 2)
        spots |= _branch(branch, side, (x, y), stripe, frame)
        top += stripe
    return spots


def _branch(
    branch: Branch, side: int, at: tuple[float, float], stripe: float, frame: Frame
) -> dict[int, Spot]:
    """A neighbour's spot, and a column of those beyond it."""
    (x, y), edge, count = at, frame.width / 2, len(branch.beyond)
    room = (frame.beyond - frame.fan if count else edge - x) - frame.radius - _GAP
    spots = {branch.node: Spot(0, side * x, y, side, room)}
    x += frame.beyond
    apart = min(stripe / max(count, 1), _LOOSE * frame.far_slot)
    for place, node in enumerate(branch.beyond):
        far_y = y + apart * (place - (count - 1) / 2)
        spots[node] = Spot(branch.node, side * x, far_y, side, edge - x - frame.far_radius - _GAP)
    return spots


def shortened(label: str, width: float) -> str:
    """A label without its middle where it is wider than so many units.

    >>> shortened("ns1.bulletproof.test", 90.0)
    'ns1.bu….test'
    """
    letters = max(5, int(width / _LETTER))
    if len(label) <= letters:
        return label
    return f"{label[: letters // 2]}…{label[len(label) - (letters - 1) // 2 :]}"
