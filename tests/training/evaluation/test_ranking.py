import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from training.evaluation.ranking import MOST_POINTS, curves, ranking, weighted_figures
from training.figures import tpr_at_fpr


def sample(seed: int, rows: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores with ties, and whole weights of which some are zero."""
    rng = np.random.default_rng(seed)
    malicious = rng.random(rows) < 0.4
    malicious[:2] = True, False
    scores = np.clip(rng.normal(0.4 + 0.2 * malicious, 0.2), 0, 1).round(2)
    weights = rng.poisson(1.0, rows).astype(np.float64)
    weights[:2] = 1.0
    return malicious, scores, weights


@given(st.integers(0, 10_000))
def test_areas_are_those_of_sklearn_with_the_same_weights(seed: int) -> None:
    """AUC and average precision agree with `sample_weight`, ties and rows of no weight included."""
    malicious, scores, weights = sample(seed)
    found = weighted_figures(ranking(malicious, scores), weights)
    assert found["auc"] == pytest.approx(roc_auc_score(malicious, scores, sample_weight=weights))
    expected = average_precision_score(malicious, scores, sample_weight=weights)
    assert found["average_precision"] == pytest.approx(expected)


@given(st.integers(0, 10_000))
def test_found_shares_are_the_best_points_of_the_roc_curve(seed: int) -> None:
    """No threshold with the allowed weight of benign rows finds more malice, nor does the figure promise more."""
    malicious, scores, weights = sample(seed)
    found = weighted_figures(ranking(malicious, scores), weights)
    fpr, tpr, _ = roc_curve(malicious, scores, sample_weight=weights, drop_intermediate=False)
    for name, rate in (("tpr_at_fpr_1pct", 0.01), ("tpr_at_fpr_01pct", 0.001)):
        assert found[name] == pytest.approx(tpr[fpr <= rate + 1e-12].max())


@given(st.integers(0, 10_000))
def test_a_weight_counts_as_so_many_rows(seed: int) -> None:
    """Weighted figures are those of the rows written out as often."""
    malicious, scores, weights = sample(seed)
    times = weights.astype(int)
    written_out = ranking(malicious.repeat(times), scores.repeat(times))
    expected = weighted_figures(written_out, np.ones(times.sum()))
    assert weighted_figures(ranking(malicious, scores), weights) == pytest.approx(expected)


def test_equal_weights_give_the_figures_of_training() -> None:
    """The same name means the same in training's own figures."""
    malicious, scores, _ = sample(0, 5000)
    found = weighted_figures(ranking(malicious, scores), np.ones(5000))
    assert found["tpr_at_fpr_1pct"] == tpr_at_fpr(malicious, scores, 0.01)
    assert found["tpr_at_fpr_01pct"] == tpr_at_fpr(malicious, scores, 0.001)


def test_calibration_weighs_classes_alike() -> None:
    """Half of each class at either score is perfect at 0.5; one row of malice in ten does not change that."""
    malicious = np.arange(1000) % 10 == 0
    ranked = ranking(malicious, np.full(1000, 0.5))
    assert weighted_figures(ranked, np.ones(1000))["calibration_error"] == pytest.approx(0.0)
    ranked = ranking(malicious, np.full(1000, 0.9))
    assert weighted_figures(ranked, np.ones(1000))["calibration_error"] == pytest.approx(0.4)


def test_a_class_without_weight_has_no_figure() -> None:
    """Nothing is made up where there is nothing to tell apart."""
    malicious = np.array([True, False, True])
    found = weighted_figures(ranking(malicious, np.array([0.9, 0.5, 0.1])), np.array([1.0, 0.0, 1.0]))
    assert all(np.isnan(value) for value in found.values())


def test_curves_keep_their_ends_and_few_points() -> None:
    """However many rows there are: both ends, rising rates, at most 200 points, and every row in a bin."""
    malicious, _, _ = sample(1, 20_000)
    rng = np.random.default_rng(1)
    scores = np.clip(rng.normal(0.4 + 0.2 * malicious, 0.2), 0, 1)
    drawn = curves(malicious, scores)
    assert len(drawn.roc) <= MOST_POINTS
    assert len(drawn.precision_recall) <= MOST_POINTS
    assert drawn.roc == sorted(drawn.roc)
    assert drawn.roc[-1] == (1.0, 1.0)
    assert drawn.precision_recall[-1] == (1.0, round(malicious.mean(), 5))
    assert sum(rows for _, _, rows in drawn.reliability) == len(scores)
    assert drawn.roc[0] == (0.0, 0.0)


def test_a_curve_of_few_rows_is_the_whole_curve() -> None:
    """Where all points have room, they are those of sklearn."""
    malicious, scores, _ = sample(2, 60)
    fpr, tpr, _ = roc_curve(malicious, scores)
    drawn = {(x, y) for x, y in curves(malicious, scores).roc}
    corners = {(round(float(x), 5), round(float(y), 5)) for x, y in zip(fpr, tpr, strict=True)}
    # Points straight below another add nothing to a curve of steps.
    highest = {max(point for point in corners if point[0] == x) for x, _ in corners}
    assert highest <= drawn
