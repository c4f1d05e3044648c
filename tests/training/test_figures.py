import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.figures import (
    best_accuracy_threshold,
    expected_calibration_error,
    figures,
    threshold_at_fpr,
    tpr_at_fpr,
)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.001, 0.01, 0.1, 0.5]))
def test_a_threshold_keeps_its_false_positive_rate(seed: int, fpr: float) -> None:
    """No more benign rows reach the threshold than the rate allows, ties included."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 20, 200) / 20
    malicious = rng.random(200) < 0.4
    threshold = threshold_at_fpr(malicious, scores, fpr)
    assert (scores[~malicious] >= threshold).mean() <= fpr


def test_perfect_and_reversed_scores() -> None:
    """Scores that separate the classes find everything; reversed ones nothing."""
    malicious = np.arange(100) >= 50
    scores = np.arange(100) / 100
    assert figures(malicious, scores).auc == 1.0
    assert tpr_at_fpr(malicious, scores, 0.01) == 1.0
    assert tpr_at_fpr(malicious, -scores, 0.01) == 0.0


def test_the_best_threshold_is_the_best_of_all() -> None:
    """No threshold between two scores classifies more rows rightly."""
    rng = np.random.default_rng(1)
    scores, malicious = rng.random(60), rng.random(60) < 0.5
    best = ((scores >= best_accuracy_threshold(malicious, scores)) == malicious).mean()
    assert best == max(((scores >= bound) == malicious).mean() for bound in [*scores, np.inf])


def test_calibration_error_of_a_coin() -> None:
    """Saying 0.5 of a fair coin is right, saying 0.9 is 0.4 off."""
    malicious = np.arange(1000) % 2 == 0
    assert expected_calibration_error(malicious, np.full(1000, 0.5)) == pytest.approx(0.0)
    assert expected_calibration_error(malicious, np.full(1000, 0.9)) == pytest.approx(0.4)
