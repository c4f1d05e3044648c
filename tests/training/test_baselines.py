import numpy as np
import torch

from training.baselines import PublishedGraph, gradient_boosting, label_propagation
from training.evaluation.threads import one_thread


def graph(edges: list[tuple[int, int]], label: list[int], split: list[str], addresses: int) -> PublishedGraph:
    """Domains that resolve to addresses."""
    pairs = torch.tensor(edges).T
    return PublishedGraph(
        {"domain": torch.zeros(len(label), 10), "ip": torch.zeros(addresses, 2)},
        {("domain", "resolves", "ip"): pairs, ("ip", "resolves_rev", "domain"): pairs.flip(0)},
        torch.tensor(label),
        np.array(split),
    )


def test_labels_reach_names_on_the_same_address() -> None:
    """Beside a malicious name the score is high, beside a benign one low, between both even, alone unknown."""
    scores = label_propagation(
        graph(
            edges=[(0, 0), (2, 0), (1, 1), (3, 1), (4, 0), (4, 1), (5, 2)],
            label=[1, 0, 1, 0, 1, 1],
            split=["train", "train", *["public_test"] * 4],
            addresses=3,
        )
    )
    # Most of every score has come far, so that even those beside a label stay near the middle.
    assert scores[2] > 0.51
    assert scores[3] < 0.49
    np.testing.assert_allclose(scores[4:], 0.5)


def test_labels_of_other_rows_than_training_tell_nothing() -> None:
    """Turning all labels that are judged or hidden leaves every score as it was."""
    rng = np.random.default_rng(0)
    edges = [(int(domain), int(address)) for domain, address in rng.integers(0, [30, 8], (90, 2))]
    label = rng.integers(0, 2, 30)
    split = np.where(np.arange(30) % 2 == 0, "train", "public_test")
    turned = np.where(split == "train", label, 1 - label)
    first, other = (
        label_propagation(graph(edges, labels.tolist(), split.tolist(), 8)) for labels in (label, turned)
    )
    np.testing.assert_array_equal(first, other)
    assert len(np.unique(first)) > 5


def test_boosting_finds_what_no_line_parts() -> None:
    """Exclusive or of two features, which regression cannot learn."""
    rng = np.random.default_rng(0)
    features = rng.random((600, 2), dtype=np.float32)
    malicious = (features[:, 0] > 0.5) != (features[:, 1] > 0.5)
    with one_thread():
        scores = gradient_boosting(features[:400], malicious[:400], features[400:])
    assert ((scores > 0.5) == malicious[400:]).mean() > 0.9
