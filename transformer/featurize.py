"""From a request's text to ego-graphs: the one path of serving, training and explaining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int32, Int64

from contract.graphs import DomainGraphs
from contract.tensors import ANSWERS_IGNORED, STATUS_OK
from transformer.answers import read_answers
from transformer.domain_name import NotADomainName, parse_domain
from transformer.graph_store import PassiveDnsGraph
from transformer.subgraph import Target, extract


@dataclass(frozen=True, slots=True)
class Featurized:
    """A request's names, ready to be scored.

    graphs      one per entry of rows; None where there is nothing to score
    rows        which inputs were names
    statuses    one per input: "ok", "answers ignored: <which and why>", or why the input is not a name
    neighbours  one per input: nodes beside the target in its graph, 0 where there is no graph
    node_labels what every node of the graphs is called; empty where nobody asked
    names       one per entry of rows: the name as canonical text
    """

    graphs: DomainGraphs | None
    rows: Int64[np.ndarray, " graphs"]
    statuses: list[str]
    neighbours: Int32[np.ndarray, " inputs"]
    node_labels: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def featurize(
    graph: PassiveDnsGraph,
    domains: Sequence[bytes | str],
    answers: Sequence[bytes | str] | None = None,
    *,
    labelled: bool = False,
    private_addresses: bool = False,
) -> Featurized:
    """Read names and answers, and cut the ego-graph of every input that is a name.

    Args:
        graph: a snapshot; it is only read.
        domains: names in any form that is legal on the wire.
        answers: as many, each "AAAA 3ffe:b00::66, NS ns1.example.net, …" or empty.
        labelled: whether to say what every node is called; scoring has no use for it.
        private_addresses: whether answers of private networks are evidence.
    """
    rows, targets, statuses = [], [], []
    for row, domain in enumerate(domains):
        listed = answers[row] if answers is not None else ""
        target, status = _read(domain, listed, private=private_addresses)
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
    names = [target.domain.name for target in targets]
    return Featurized(ego_graphs.graphs, np.array(rows, np.int64), statuses, neighbours, labels, names)


def _read(raw_domain: bytes | str, raw_answers: bytes | str, *, private: bool) -> tuple[Target | None, str]:
    try:
        domain = parse_domain(raw_domain)
    except NotADomainName as reason:
        return None, str(reason)
    if not raw_answers:
        return Target(domain), STATUS_OK
    answers = read_answers(raw_answers, domain, private=private)
    status = f"{ANSWERS_IGNORED}: {answers.ignored}" if answers.ignored.count else STATUS_OK
    return Target(domain, answers.records), status
