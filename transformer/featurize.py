"""From a request's text to ego-graphs: the one path of serving, training and explaining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int32, Int64

from contract.graphs import DomainGraphs
from contract.tensors import ANSWERS_IGNORED, STATUS_OK
from transformer.answers import Answer, UnreadableAnswers, parse_answers
from transformer.domain_name import NotADomainName, parse_domain
from transformer.graph_store import PassiveDnsGraph
from transformer.subgraph import Target, extract


@dataclass(frozen=True, slots=True)
class Featurized:
    """A request's names, ready to be scored.

    graphs      one per entry of rows; None where there is nothing to score
    rows        which inputs were names
    statuses    one per input: "ok", "answers ignored: <why>", or why the input is not a name
    neighbours  one per input: nodes beside the target in its graph, 0 where there is no graph
    node_labels what every node of the graphs is called; empty where nobody asked
    """

    graphs: DomainGraphs | None
    rows: Int64[np.ndarray, " graphs"]
    statuses: list[str]
    neighbours: Int32[np.ndarray, " inputs"]
    node_labels: list[bytes] = field(default_factory=list)


def featurize(
    graph: PassiveDnsGraph,
    domains: Sequence[bytes | str],
    answers: Sequence[bytes | str] | None = None,
    *,
    labelled: bool = False,
) -> Featurized:
    """Read names and answers, and cut the ego-graph of every input that is a name.

    Args:
        graph: a snapshot; it is only read.
        domains: names in any form that is legal on the wire.
        answers: as many, each "A 192.0.2.1, NS ns1.example.net, …" or empty.
        labelled: whether to say what every node is called; scoring has no use for it.
    """
    rows, targets, statuses = [], [], []
    for row, domain in enumerate(domains):
        target, status = _read(domain, answers[row] if answers is not None else "")
        statuses.append(status)
        if target is not None:
            rows.append(row)
            targets.append(target)
    neighbours = np.zeros(len(domains), np.int32)
    if not targets:
        return Featurized(None, np.array(rows, np.int64), statuses, neighbours)
    ego_graphs = extract(graph, targets, labelled=labelled)
    neighbours[rows] = ego_graphs.neighbours
    labels = ego_graphs.node_labels or []
    return Featurized(ego_graphs.graphs, np.array(rows, np.int64), statuses, neighbours, labels)


def _read(raw_domain: bytes | str, raw_answers: bytes | str) -> tuple[Target | None, str]:
    try:
        domain = parse_domain(raw_domain)
    except NotADomainName as reason:
        return None, str(reason)
    answers: tuple[Answer, ...] = ()
    status = STATUS_OK
    if raw_answers:
        try:
            answers = parse_answers(raw_answers)
        except UnreadableAnswers as reason:
            status = f"{ANSWERS_IGNORED}: {reason}"
    return Target(domain, answers), status
