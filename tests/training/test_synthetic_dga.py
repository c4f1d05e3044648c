from collections import Counter

import numpy as np

from training.synthetic_dga import Vocabulary, synthetic_names
from transformer.domain_name import parse_domain

BENIGN = [
    f"{first}{second}.{suffix}"
    for first in ("green", "river", "market", "school")
    for second in ("-garden", "-museum", "-coffee", "house")
    for suffix in ("org", "com", "net")
]


def labels(names: list[str]) -> list[str]:
    return [parse_domain(name).registrable_label for name in names]


def test_every_generated_name_is_a_name() -> None:
    """Names of all kinds parse, in the asked number, and the seed decides them."""
    made = synthetic_names(2_000, BENIGN, np.random.default_rng(3))
    assert len(made) == 2_000
    assert len({parse_domain(name).name for name in made}) > 1_600
    assert made == synthetic_names(2_000, BENIGN, np.random.default_rng(3))
    assert made != synthetic_names(2_000, BENIGN, np.random.default_rng(4))


def test_words_are_those_that_benign_names_share() -> None:
    """A word is what stands in several labels between other characters; labels are those worth changing."""
    vocabulary = Vocabulary([*BENIGN, "once.org", "xn--e1afmkfd.org", "mail.river-side.net"])
    assert {"green", "garden", "museum", "coffee"} <= set(vocabulary.words)
    assert "once" not in vocabulary.words
    assert "once" not in vocabulary.labels
    assert "mail" not in vocabulary.labels
    assert not any("xn--" in label for label in vocabulary.labels)


def test_edited_names_are_benign_labels_with_at_most_two_other_characters() -> None:
    """Some generated names are two edits away from a benign label, and none is a benign one of the input."""
    made = labels(synthetic_names(2_000, BENIGN, np.random.default_rng(5)))
    known = set(labels(BENIGN))

    def distance(label: str) -> int:
        same_length = (other for other in known if len(other) == len(label))
        return min(
            (sum(a != b for a, b in zip(label, other, strict=True)) for other in same_length), default=99
        )

    distances = Counter(distance(label) for label in made)
    assert 200 < distances[1] + distances[2] < 400
    assert distances[0] < 10


def test_without_benign_names_the_other_kinds_remain() -> None:
    """No words and no labels to change: uniform and pronounceable names are made all the same."""
    made = synthetic_names(1_000, [], np.random.default_rng(6))
    assert 400 < len(made) < 700
