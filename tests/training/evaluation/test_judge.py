import numpy as np
import pytest

from contract.tensors import NOT_SCORED
from tests.training.evaluation.made_up import names
from training.data import LabelledNames
from training.evaluation.intervals import FEWEST_ROWS
from training.evaluation.judge import JudgedGraph, JudgedNames, changed_figures, judged_of
from training.evaluation.robustness import Changed

ROWS = 40


def family_names(*families: str) -> LabelledNames:
    """So many benign names, and as many of each family."""
    rows = [(f"good{place}.example", "benign", "benign", "top", "", "strong") for place in range(ROWS)]
    for family in families:
        rows += [(f"{family}{place}.example", "dga", family, "lists", "", "strong") for place in range(ROWS)]
    return names(rows)


def judged(test: LabelledNames, *unseen: str) -> JudgedNames:
    return JudgedNames(test, frozenset(unseen), judged_of(test.domains, test.malicious, 20))


def scores_by_family(test: LabelledNames, scores: dict[str, float]) -> np.ndarray:
    # Apart, so that no threshold falls among equal scores.
    return np.array([scores[str(family)] for family in test.family]) + np.arange(len(test.domains)) * 1e-6


def test_the_mean_is_over_unseen_families_alone() -> None:
    """A seen family that is found does not hide an unseen one that is not."""
    test = family_names("seen", "found", "missed")
    scores = scores_by_family(test, {"benign": 0.5, "seen": 0.9, "found": 0.8, "missed": 0.1})
    found = judged(test, "found", "missed").by_part(scores)
    assert found["names/strong/family/seen"].auc.value == 1.0
    assert found["names/strong/family/missed"].auc.value == 0.0
    mean = found["names/strong/unseen-families"]
    assert mean.auc.value == 0.5
    assert mean.tpr_at_fpr_1pct.value == 0.5
    assert (mean.rows, mean.malicious) == (3 * ROWS, 2 * ROWS)


def test_without_unseen_families_there_is_no_mean() -> None:
    """Nothing stands where nothing was measured."""
    test = family_names("seen")
    found = judged(test).by_part(scores_by_family(test, {"benign": 0.5, "seen": 0.9}))
    assert not [path for path in found if "unseen" in path]
    assert "names/all/category/dga" in found


def test_parts_with_few_rows_are_left_out() -> None:
    """A part of fewer malicious names than an interval takes is not reported; the whole is."""
    test = family_names("seen")
    test = test.at(np.arange(ROWS + FEWEST_ROWS - 1))
    found = judged(test).by_part(scores_by_family(test, {"benign": 0.5, "seen": 0.9}))
    assert found["names/strong"].malicious == FEWEST_ROWS - 1
    assert "names/strong/family/seen" not in found


def test_rows_that_were_not_scored_do_not_count() -> None:
    """-1 is no low score."""
    test = family_names("seen")
    scores = scores_by_family(test, {"benign": 0.5, "seen": 0.9})
    scores[-1] = NOT_SCORED
    found = judged(test).headlines(scores)["names/strong"]
    assert (found.rows, found.malicious, found.auc.value) == (2 * ROWS - 1, ROWS - 1, 1.0)


def graph_rows() -> tuple[JudgedGraph, np.ndarray]:
    """Public rows and validation rows in turn, and their labels."""
    malicious = np.arange(8 * ROWS) % 4 >= 2
    public = np.arange(8 * ROWS) % 2 == 0
    judged_graph = judged_of([f"{place}.example" for place in range(8 * ROWS)], malicious, 20)
    return JudgedGraph(public, ~public, judged_graph), malicious


def test_accuracy_takes_its_threshold_from_validation_rows() -> None:
    """A threshold that suits the public rows only is not found: on `val` all scores are elsewhere."""
    graph, malicious = graph_rows()
    scores = np.where(malicious, 0.4, 0.2) + np.where(graph.val, 0.5, 0.0)
    found = graph.figures([scores])
    assert found.auc.value == 1.0
    assert found.accuracy is not None
    assert found.accuracy.value == 0.5
    assert found.rows == 4 * ROWS
    there = graph.figures([np.where(malicious, 0.9, 0.7)]).accuracy
    assert there is not None
    assert there.value == 1.0


def test_the_gain_is_the_difference_of_both() -> None:
    """Perfect scores above useless ones gain half of the AUC; a scoring gains nothing above itself."""
    graph, malicious = graph_rows()
    perfect, useless = malicious.astype(float), np.full(len(malicious), 0.5)
    gain = graph.gain(perfect, useless).auc
    assert (gain.value, gain.low, gain.high) == (0.5, 0.5, 0.5)
    none = graph.gain(perfect, perfect).auc
    assert (none.value, none.low, none.high) == (0.0, 0.0, 0.0)


def test_several_scorings_give_their_mean() -> None:
    """A good and a reversed seed are a coin."""
    graph, malicious = graph_rows()
    perfect = malicious.astype(float)
    assert graph.figures([perfect, 1 - perfect]).auc.value == 0.5


@pytest.mark.parametrize("malicious", [True, False])
def test_changed_names_stand_beside_unchanged_rows_of_the_other_class(malicious: bool) -> None:
    """Their class, their scores and the share of them alone that is flagged."""
    test = family_names("other")
    scores = scores_by_family(test, {"benign": 0.1, "other": 0.95})
    rows = np.arange(20)
    changed = Changed([f"edited{row}.example" for row in rows], rows, malicious)
    changed_scores = np.where(rows < 5, 0.9, 0.5)
    found = changed_figures(
        test, scores, changed, changed_scores, {"flagged_monitor": 0.9, "flagged_block": 0.99}, 20
    )
    assert (found.rows, found.malicious) == (20 + ROWS, 20 if malicious else ROWS)
    assert found.auc.value == 1.0
    assert found.flagged_monitor is not None
    assert found.flagged_monitor.value == 0.25
    assert found.flagged_block is not None
    assert found.flagged_block.value == 0.0
