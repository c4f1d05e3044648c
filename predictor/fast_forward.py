"""The model on CPU without its overhead: indices in numpy, products in torch, nothing computed in vain.

Same weights and same scores as `model.RiskGnn`, which stays the definition and what CUDA runs; the tests
hold the two together. What is saved: on small arrays a call of torch costs five of numpy, and only nodes
whose state reaches a target are updated.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch.nn import functional

from contract.feature_schema import DOMAIN_NODE, GRAPH_FEATURES
from contract.graphs import DomainGraphs
from contract.ngrams import hashed_ngrams
from contract.ragged import take_ragged
from predictor.model import FAR, RiskGnn

_GRAPH_COLUMNS: Final = len(GRAPH_FEATURES)
_ONE: Final = np.float32(1.0)
_ZERO: Final = np.float32(0.0)


class FastForward:
    """A frozen `RiskGnn`; later changes of its weights are not seen."""

    def __init__(self, model: RiskGnn) -> None:
        self._lexical = _Lexical(model)
        self._evidence = _Evidence(model)
        self._calibration = model.calibration.detach().numpy().copy()
        self._may_take, self._may_add = np.float32(-model.may_take), np.float32(model.may_add)

    @torch.inference_mode()
    def scores(self, graphs: DomainGraphs) -> Float32[np.ndarray, "graphs categories_and_one"]:
        """Calibrated probabilities of the categories, and the risk of each name alone: `RiskGnn.scores`."""
        logits = self._lexical.logits(graphs)
        linked = np.zeros(graphs.node_count, bool)
        linked[graphs.edge_index[1]] = True
        linked = linked[graphs.target_nodes]
        malice = _log_sum_exp(logits[:, 1:])
        own = malice - logits[:, 0]
        (scale, offset), (scale_linked, offset_linked) = self._calibration
        alone = risk = scale * own + offset
        if linked.any():
            shift, aside = self._evidence.effect(graphs)
            together = scale_linked * (own + shift - aside * own) + offset_linked
            moved = np.where(linked, together - alone, _ZERO)
            risk = alone + moved.clip(self._may_take, self._may_add)
        return _scores(risk, alone, logits[:, 1:], malice)


def _log_sum_exp(logits: Float32[np.ndarray, "graphs kinds"]) -> Float32[np.ndarray, " graphs"]:
    highest = logits.max(axis=1)
    return highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))


def _scores(
    risk_logit: Float32[np.ndarray, " graphs"],
    alone: Float32[np.ndarray, " graphs"],
    kinds: Float32[np.ndarray, "graphs kinds"],
    malice: Float32[np.ndarray, " graphs"],
) -> Float32[np.ndarray, "graphs categories_and_one"]:
    scores = np.empty((len(kinds), 2 + kinds.shape[1]), np.float32)
    # Not 1 / (1 + exp(-x)), which overflows for logits that are no longer possible but may be sent.
    risk = torch.sigmoid(torch.from_numpy(risk_logit)).numpy()
    scores[:, 0] = _ONE - risk
    np.multiply(np.exp(kinds - malice[:, None]), risk[:, None], out=scores[:, 1:-1])
    scores[:, -1] = torch.sigmoid(torch.from_numpy(alone)).numpy()
    return scores


def tensor_of(array: np.ndarray) -> torch.Tensor:
    """The array as a tensor, sharing its memory where that may be written to."""
    # torch refuses read-only buffers, which is what a single undecoded request holds.
    return torch.from_numpy(array if array.flags.writeable else array.copy())


class _Product:
    """A linear layer as one call; several layers that read one row are put side by side."""

    def __init__(self, *layers: Any) -> None:
        weights = [layer.weight.detach().t() for layer in layers]
        self._weight = torch.cat(weights).contiguous()
        self._bias = sum(layer.bias.detach() for layer in layers if layer.bias is not None)

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.addmm(self._bias, rows, self._weight)


class _Lexical:
    """`LexicalPath` of the targets alone."""

    def __init__(self, model: RiskGnn) -> None:
        path = model.lexical
        self._layout = path.names.layout
        self._table = path.names.table.weight.detach()
        self._features = _Product(path.features)
        self._join = _Product(path.join)
        self._deepen = _Product(path.deepen)
        head, last = path.head[0], path.head[-1]
        self._head = _Product(head)
        self._last = _Product(last)

    def logits(self, graphs: DomainGraphs) -> Float32[np.ndarray, "graphs categories"]:
        targets = graphs.target_nodes
        features = torch.from_numpy(graphs.node_features[targets, :-_GRAPH_COLUMNS])
        featured = functional.gelu(self._features(features))
        joined = functional.gelu(self._join(torch.cat([self._named(graphs, targets), featured], dim=1)))
        deep = functional.gelu(self._deepen(joined)).add_(joined)
        read = functional.gelu(self._head(torch.cat([joined, deep], dim=1)))
        logits: Float32[np.ndarray, "graphs categories"] = self._last(read).numpy()
        return logits

    def _named(self, graphs: DomainGraphs, targets: Int64[np.ndarray, " graphs"]) -> torch.Tensor:
        starts = graphs.name_offsets[targets]
        lengths = graphs.name_offsets[targets + 1] - starts
        names = take_ragged(graphs.name_bytes, starts, lengths)
        ids, offsets = hashed_ngrams(names, lengths, graphs.name_parts[targets], self._layout)
        bags = torch.from_numpy(offsets[:-1])
        summed = functional.embedding_bag(torch.from_numpy(ids), self._table, bags, mode="sum")
        counts = np.maximum(np.diff(offsets), 1).astype(np.float32)
        return summed.div_(torch.from_numpy(np.sqrt(counts)[:, None]))


class _Evidence:
    """`EvidencePath`, for the nodes from which something reaches a target."""

    def __init__(self, model: RiskGnn) -> None:
        path = model.evidence
        self._columns = path.columns.numpy()
        self._groups = path.groups
        self._relations = path.group_of_relation
        self._group_of_relation = path.group_of_relation.numpy()
        self._enter = _Product(path.enter)
        self._layers = [_Product(layer.own, layer.heard) for layer in path.layers]
        self._leave = _Product(path.leave)

    def effect(self, graphs: DomainGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Shift and share set aside of every target, also of those without edges, where it means nothing."""
        entered = functional.gelu(self._enter(self._said(graphs)))
        state, row = entered, np.arange(graphs.node_count)
        hops = _hops(graphs, len(self._layers))
        for layer, (nodes, edges) in zip(self._layers, hops, strict=True):
            state, row = self._layer(layer, state, row, graphs, nodes, edges)
        targets = graphs.target_nodes
        told = [entered[tensor_of(targets)], state[torch.from_numpy(row[targets])]]
        left = self._leave(torch.cat(told, dim=1))
        return left[:, 0].numpy(), torch.sigmoid(left[:, 1]).numpy()

    def _said(self, graphs: DomainGraphs) -> torch.Tensor:
        own = len(self._columns)
        said = torch.empty(graphs.node_count, own + self._groups + 1)
        as_array = said.numpy()
        np.take(graphs.node_features, self._columns, axis=1, out=as_array[:, :own], mode="clip")
        as_array[:, -1] = graphs.node_type == DOMAIN_NODE
        degrees = torch.expm1(tensor_of(graphs.node_features[:, -_GRAPH_COLUMNS:]))
        by_group = torch.zeros(graphs.node_count, self._groups)
        # Not a product with zeros and ones: a degree may be infinite.
        by_group.index_add_(1, self._relations, degrees)
        said[:, own:-1] = by_group.clamp_(min=0.0).log1p_()
        return said.clamp_(max=FAR)

    def _layer(
        self,
        layer: _Product,
        state: torch.Tensor,
        row: Int64[np.ndarray, " all_nodes"],
        graphs: DomainGraphs,
        nodes: Int64[np.ndarray, " nodes"],
        edges: Int64[np.ndarray, " edges"],
    ) -> tuple[torch.Tensor, Int64[np.ndarray, " all_nodes"]]:
        """New states of some nodes, and the row of each in them.

        A node's row before the product: its own state, then the mean it hears by each group.
        """
        sources, targets = graphs.edge_index[:, edges]
        place = np.zeros(graphs.node_count, np.int64)
        place[nodes] = np.arange(len(nodes))
        width = 1 + self._groups
        slots = place[targets] * width + self._group_of_relation[graphs.edge_type[edges]] + 1
        shares = _ONE / np.bincount(slots, minlength=1).astype(np.float32)[slots]
        said = state[torch.from_numpy(row[sources])].mul_(torch.from_numpy(shares[:, None]))
        heard = torch.zeros(len(nodes) * width, state.shape[1])
        heard.index_add_(0, torch.from_numpy(slots), said)
        listening = state[torch.from_numpy(row[nodes])]
        heard[::width] = listening
        return functional.gelu(layer(heard.view(len(nodes), -1))).add_(listening), place


def _hops(graphs: DomainGraphs, layers: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each layer the nodes that must listen in it, and the edges that lead to them.

    In the last layer these are the targets, in the one before it they and whom they hear, and so on.
    """
    hops: list[tuple[np.ndarray, np.ndarray]] = []
    listens = np.zeros(graphs.node_count, bool)
    listens[graphs.target_nodes] = True
    sources, targets = graphs.edge_index
    for _ in range(layers):
        edges = np.flatnonzero(listens[targets])
        hops.insert(0, (np.flatnonzero(listens), edges))
        listens = listens.copy()
        listens[sources[edges]] = True
    return hops
