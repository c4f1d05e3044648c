"""The page of one explanation: HTML with everything in it, the same bytes for the same answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contract.feature_schema import reverse_of
from explainer.report_layout import NARROW, WIDE, Branch, arrange, branches_of, chart_of, shortened

# base_value and contributions are answered to four digits.
_ADDS_UP: Final = 1e-3
# Relation as seen from the domain -> what the neighbour is to it; drawn in this order.
_CALLED: Final = {
    "resolves": "address",
    "nameserver": "name server",
    "alias": "canonical name",
    "alias_rev": "its alias",
    "apex": "registered domain",
    "apex_rev": "sub-domain",
    "similar": "look-alike",
    "resolves_rev": "name on it",
    "nameserver_rev": "name it serves",
}
# A contribution of less than this share of the largest has no colour.
_HARDLY: Final = 0.05


class UnexpectedAnswer(Exception):
    """An answer is no explanation as docs/explanation.schema.json has it; the message says where."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=())


class _Contribution(_Part):
    player: str
    text: str
    contribution: float


class _Condition(_Part):
    player: str
    text: str
    value: float | None


class _Node(_Part):
    label: str
    type: Literal["domain", "ip", "nameserver"]
    players: list[str]


class _Edge(_Part):
    source: Annotated[int, Field(ge=0)]
    target: Annotated[int, Field(ge=0)]
    relation: Literal["resolves", "nameserver", "alias", "apex", "similar"]


class _Graph(_Part):
    nodes: Annotated[list[_Node], Field(min_length=1)]
    edges: list[_Edge]


class _Thresholds(_Part):
    monitor: float
    block: float


class _Cost(_Part):
    predictor_calls: int
    rows: int
    milliseconds: float


class _Explanation(_Part):
    domain: str
    status: str
    seed: int
    model_version: str
    explainer_version: str
    feature_schema: str
    graph_snapshot: str
    score: float
    name_score: float = -1.0
    action: Literal["allow", "monitor", "block"]
    threshold: float
    thresholds: _Thresholds
    summary: str
    cost: _Cost
    graph: _Graph | None = None


class _Shap(_Explanation):
    method: Literal["shap"]
    base_value: float
    exact: bool
    contributions: Annotated[list[_Contribution], Field(min_length=1)]


class _Anchor(_Explanation):
    method: Literal["anchor"]
    rule: list[_Condition]
    precision: float | None
    precision_wanted: float
    coverage: float | None
    met: bool
    truncated: bool


_READER: Final = TypeAdapter[_Shap | _Anchor](Annotated[_Shap | _Anchor, Field(discriminator="method")])


def _read(document: object) -> _Shap | _Anchor:
    try:
        answer = _READER.validate_python(document)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"])) or "explanation"
        raise UnexpectedAnswer(f"{place}: {problem['msg'][0].lower()}{problem['msg'][1:]}") from None
    ends = [max(edge.source, edge.target) for edge in answer.graph.edges] if answer.graph else []
    if answer.graph and max(ends, default=0) >= len(answer.graph.nodes):
        raise UnexpectedAnswer(f"graph.edges: expected ends below {len(answer.graph.nodes)}, got {max(ends)}")
    if isinstance(answer, _Shap):
        total = math.fsum([answer.base_value, *(each.contribution for each in answer.contributions)])
        if abs(total - answer.score) > _ADDS_UP:
            raise UnexpectedAnswer(f"contributions: they add up to {total:.4f}, not to {answer.score:.4f}")
    return answer


def page(explanation: Mapping[str, object]) -> str:
    """The page of one explanation, an element of `explanations`.

    Raises:
        UnexpectedAnswer: a missing field, an impossible value, or contributions that do not add up.
    """
    answer = _read(explanation)
    given = answer.contributions if isinstance(answer, _Shap) else []
    neighbours = _neighbours(answer, answer.graph) if answer.graph else []
    branches = [neighbour.branch for neighbour in neighbours]
    return _template().render(
        answer=answer,
        chart=chart_of([(each.text, each.contribution) for each in given]),
        neighbours=neighbours,
        wide=arrange(branches, WIDE),
        narrow=arrange(branches, NARROW),
    )


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A neighbour as it is drawn and listed.

    number   its place clockwise
    called   what it is to the domain
    gain     what its players add to the score together; None where a rule explains it
    tone     its colour: down3 (lowers the score most) … flat … up3, or kept as part of a rule
    """

    number: int
    branch: Branch
    called: str
    gain: float | None
    tone: str


def _neighbours(answer: _Shap | _Anchor, graph: _Graph) -> list[Neighbour]:
    relations = _relations(graph)
    order = sorted(relations, key=lambda node: (list(_CALLED).index(relations[node][0]), node))
    ends = [(edge.source, edge.target) for edge in graph.edges]
    return [
        _neighbour(answer, graph.nodes[branch.node], number, branch, relations.get(branch.node, []))
        for number, branch in enumerate(branches_of(len(graph.nodes), ends, order), 1)
    ]


def _relations(graph: _Graph) -> dict[int, list[str]]:
    """The relations of each neighbour as seen from the domain, in the order of _CALLED."""
    found: dict[int, set[str]] = {}
    for edge in graph.edges:
        if edge.source == 0 < edge.target:
            found.setdefault(edge.target, set()).add(edge.relation)
        elif edge.target == 0 < edge.source:
            found.setdefault(edge.source, set()).add(reverse_of(edge.relation))
    return {node: sorted(relations, key=list(_CALLED).index) for node, relations in found.items()}


def _neighbour(
    answer: _Shap | _Anchor, node: _Node, number: int, branch: Branch, relations: list[str]
) -> Neighbour:
    called = " and ".join(_CALLED[relation] for relation in relations)
    if isinstance(answer, _Anchor):
        kept = any(condition.player in node.players for condition in answer.rule)
        return Neighbour(number, branch, called, None, "kept" if kept else "flat")
    gains = {each.player: each.contribution for each in answer.contributions}
    gain = math.fsum(gains.get(player, 0.0) for player in node.players)
    return Neighbour(number, branch, called, gain, tone_of(gain, max(map(abs, gains.values()))))


def tone_of(gain: float, largest: float) -> str:
    """The colour of a contribution, in three steps to either side of what hardly counts.

    >>> tone_of(0.3, 0.3), tone_of(-0.04, 0.3), tone_of(-0.01, 0.3)
    ('up3', 'down1', 'flat')
    """
    share = abs(gain) / (largest or 1.0)
    step = f"{'up' if gain > 0 else 'down'}{min(3, 1 + int(3 * share))}"
    return "flat" if share < _HARDLY else step


def signed(value: float, digits: int = 3) -> str:
    """A contribution with its sign, nothing without one.

    >>> signed(0.25), signed(-0.25).replace("\N{MINUS SIGN}", "minus "), signed(-0.0001)
    ('+0.250', 'minus 0.250', '0.000')
    """
    size = f"{abs(value):.{digits}f}"
    sign = "+" if value > 0 else "\N{MINUS SIGN}"
    return sign + size if float(size) else size


def visible(text: str) -> str:
    r"""Text with everything that does not print, or reorders what does, written out.

    >>> visible("a\x00b\u202ec")
    'a\\x00b\\u202ec'
    """
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _shown(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _template() -> Template:
    loader = PackageLoader("explainer", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_shown, trim_blocks=True
    )
    environment.filters |= {"signed": signed, "shortened": shortened}
    return environment.get_template("report.html.j2")
